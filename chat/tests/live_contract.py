"""docs/asyncapi.yaml, held against what goes over the wire."""

from functools import cache

import jsonschema
import yaml

from acceptance.people import Device
from conftest import ROOT

PATH = "docs/asyncapi.yaml"
EVENTS = {1: "olderEvents", 2: "events"}
"""The channel of a protocol."""
ENTRY = {"$ref": "#/components/schemas/Entry"}


@cache
def closed_document():
    """The document, with every object of it closed."""
    document = yaml.safe_load((ROOT / PATH).read_text())
    for _pointer, schema in objects_of(document):
        schema.setdefault("additionalProperties", False)
    return document


def objects_of(document):
    """Every schema of the document that has properties, with where it is."""
    return objects_in("components/schemas", document["components"]["schemas"])


def objects_in(pointer, part):
    if isinstance(part, dict):
        if isinstance(part.get("properties"), dict):
            yield pointer, part
        for name, value in part.items():
            yield from objects_in(f"{pointer}/{name}", value)
    elif isinstance(part, list):
        for number, value in enumerate(part):
            yield from objects_in(f"{pointer}/{number}", value)


_validators = {}


def validator_of(schema):
    """A validator of a schema of the document, or with references into it; made once for each."""
    # The schema is kept beside it, so that no other one gets its id.
    kept, validator = _validators.get(id(schema), (None, None))
    if kept is not schema:
        # The references are resolved in what has the schemas: the document itself.
        definitions = {"components": {"schemas": closed_document()["components"]["schemas"]}}
        validator = jsonschema.Draft7Validator({**definitions, **schema})
        _validators[id(schema)] = schema, validator
    return validator


class LiveContract:
    """Judges payloads by the document, and remembers what of the document it has met.

    `problems` has a sentence for each payload that is not as the document says. The document lets
    clients expect more fields than it has; the service itself must send no other ones, so here
    every object is closed.
    """

    def __init__(self):
        self.document = closed_document()
        self.problems = []
        self._seen = set()

    # What is judged

    def judge_event(self, protocol, name, payload):
        """An event to a client."""
        channel = EVENTS[protocol]
        messages = self._named(channel, name)
        if not messages:
            self._report(f"The event {name!r} is not in channels/{channel}", payload)
        else:
            self._judge(f"the event {name!r} in channels/{channel}", messages, payload)

    def judge_acknowledgement(self, event, request, answer):
        """What a client got for an event; a request that was accepted must be a documented one."""
        requests = self._named("requests", event)
        accepted = isinstance(answer, dict) and answer.get("ok") is True
        if not requests:
            messages = {"refused": self._messages("acknowledgements")["refused"]}
            self._judge(f"the refusal of an unknown event {event!r}", messages, answer)
            return
        [key] = requests
        [operation] = [
            each
            for each in self.document["operations"].values()
            if {"$ref": f"#/channels/requests/messages/{key}"} in each.get("messages", ())
        ]
        replies = [self._key(reference) for reference in operation["reply"]["messages"]]
        messages = {reply: self._messages("acknowledgements")[reply] for reply in replies}
        self._judge(f"the acknowledgement of {event!r}", messages, answer)
        if accepted:
            self._judge(f"the payload of {event!r}, which was accepted,", requests, request)

    def judge_handshake(self, auth, refusal=None):
        """What a client said at the handshake, and why it was refused if it was."""
        connect, refused = (self._named("handshake", name) for name in ("connect", "connect_error"))
        self._judge("the payload of CONNECT", connect, auth)
        if refusal is not None:
            self._judge("the payload of CONNECT_ERROR", refused, refusal)

    def judge_entries(self, entries):
        """What REST has of a log: the same as `resume`."""
        for each in entries:
            self._judge("an entry by REST", {"Entry": {"payload": ENTRY}}, each)

    # What was met

    def unseen(self):
        """What the document has and nothing that was judged had: messages, and fields."""
        messages = [
            f"channels/{channel}/messages/{key}"
            for channel, content in self.document["channels"].items()
            for key in content["messages"]
            if id(self._messages(channel)[key]) not in self._seen
        ]
        fields = [
            f"{pointer}/{name}"
            for pointer, schema in objects_of(self.document)
            for name in schema["properties"]
            if (id(schema), name) not in self._seen
        ]
        return messages + fields

    def _note(self, schema, instance):
        schema = self._resolve(schema)
        for option in schema.get("oneOf", ()):
            if validator_of(option).is_valid(instance):
                self._note(option, instance)
        if isinstance(instance, dict):
            for name, value in instance.items():
                if name in (properties := schema.get("properties", {})):
                    says_something = value is not None and value != []
                    if says_something or properties[name].get("type") == "null":
                        self._seen.add((id(schema), name))
                    self._note(properties[name], value)
                elif isinstance(others := schema.get("additionalProperties"), dict):
                    self._note(others, value)
        elif isinstance(instance, list) and "items" in schema:
            for value in instance:
                self._note(schema["items"], value)

    # The document

    def _judge(self, what, messages, payload):
        for message in messages.values():
            if validator_of(message["payload"]).is_valid(payload):
                self._seen.add(id(message))
                self._note(message["payload"], payload)
                return
        errors = [
            error
            for message in messages.values()
            for error in validator_of(message["payload"]).iter_errors(payload)
        ]
        error = jsonschema.exceptions.best_match(errors, key=_kind_first)
        where = "/".join(map(str, error.absolute_path)) or "as a whole"
        self._report(f"{what} is not as documented ({where}: {error.message})", payload)

    def _report(self, problem, payload):
        self.problems.append(f"{problem}. Mend it, or add it to {PATH}. It was: {payload!r}")

    def _messages(self, channel):
        messages = self.document["channels"][channel]["messages"]
        return {key: self._resolve(message) for key, message in messages.items()}

    def _named(self, channel, name):
        messages = self._messages(channel)
        return {key: message for key, message in messages.items() if message.get("name") == name}

    def _resolve(self, part):
        while "$ref" in part:
            part = self.follow(part["$ref"])
        return part

    def follow(self, reference):
        """What `#/a/b` refers to; KeyError if there is no such part."""
        part = self.document
        for step in reference.removeprefix("#/").split("/"):
            part = part[step]
        return part

    @staticmethod
    def _key(reference):
        return reference["$ref"].rpartition("/")[2]


def _kind_first(error):
    """Of several messages of one name, complain about the one that was meant."""
    is_about_the_kind = error.validator == "const"
    return (not is_about_the_kind, jsonschema.exceptions.relevance(error))


class JudgedDevice(Device):
    """A device all of whose traffic is judged by a contract."""

    def __init__(self, url, contract):
        super().__init__(url)
        self.contract = contract
        self.protocol = 1

    def connect(self, *, auth=None, **options):
        self.protocol = (auth or {}).get("protocol", 1)
        super().connect(auth=auth, **options)
        self.contract.judge_handshake(auth or {})

    def call(self, event, *args, **options):
        answer = super().call(event, *args, **options)
        self.contract.judge_acknowledgement(event, args[0] if args else None, answer)
        return answer

    def _remember(self, event, *args):
        if len(args) != 1:
            self.contract.problems.append(f"The event {event!r} has {len(args)} arguments.")
        self.contract.judge_event(self.protocol, event, args[0] if args else None)
        super()._remember(event, *args)
