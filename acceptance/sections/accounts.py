"""Signing up, logging in, and who one is; what a token is and which ones are refused."""

import time
from concurrent.futures import ThreadPoolExecutor

from acceptance import tokens
from acceptance.people import Person, answer
from acceptance.shapes import AtLeast, ClientError, OneOf, Shape, a_text, an_id, containing
from acceptance.walk import step

EMAIL_TAKEN = {"detail": "Email already registered"}
USERNAME_TAKEN = {"detail": "Username already registered"}
NOT_AUTHENTICATED = AtLeast(detail="Not authenticated")
BAD_TOKEN = AtLeast(detail="Could not validate credentials")
WRONG_LOGIN = AtLeast(detail="Incorrect email or password")


def protected_endpoints(walk):
    """Return (method, path, options) of everything that wants a token."""
    room = walk.alice.make_room(walk.bob)
    path = f"/chat/chat_rooms/{room['id']}"
    return [
        ("GET", "/auth/users/me", {}),
        ("GET", "/chat/private_chats/", {}),
        ("POST", "/chat/chat_rooms/", {"json": {"name": "A room"}}),
        ("GET", path, {}),
        ("GET", f"{path}/messages", {}),
        ("POST", f"{path}/messages", {"json": {"content": "hello"}}),
        ("POST", "/chat/upload_media/", {"files": {"file": ("note.txt", b"hello")}}),
    ]


@step
def signing_up(walk):
    dora = Person(walk.url, "dora")
    created = dora.sign_up()
    walk.check(
        "POST /auth/signup answers 201 {id, username, email}",
        answer(created),
        (201, AtLeast(id=an_id, username=dora.username, email=dora.email)),
    )
    walk.check("the answer keeps the password", dora.password in created.text, False)
    walk.check("an account has nothing of a password in it", "password" in created.text, False)

    full_name = Person(walk.url, "erin")
    walk.check(
        "full_name may come too",
        answer(full_name.sign_up(full_name="Erin Example")),
        (201, AtLeast(username=full_name.username, email=full_name.email)),
    )
    with_slash = Person(walk.url, "fred")
    fields = {
        "username": with_slash.username,
        "email": with_slash.email,
        "password": with_slash.password,
    }
    walk.check(
        "POST /auth/signup/ is the same",
        answer(with_slash.anonymous("POST", "/auth/signup/", json=fields)),
        (201, AtLeast(username=with_slash.username)),
    )

    other = Person(walk.url, "gina")
    walk.check(
        "a taken e-mail is refused", answer(other.sign_up(email=dora.email)), (400, EMAIL_TAKEN)
    )
    walk.check(
        "a taken user name is refused",
        answer(other.sign_up(username=dora.username)),
        (400, USERNAME_TAKEN),
    )
    walk.check(
        "both taken: the e-mail is looked at first",
        answer(other.sign_up(email=dora.email, username=dora.username)),
        (400, EMAIL_TAKEN),
    )
    walk.check(
        "a taken e-mail in capitals is taken",
        answer(other.sign_up(email=dora.email.upper())),
        (400, EMAIL_TAKEN),
    )
    walk.check(
        "a taken user name in capitals is taken",
        answer(other.sign_up(username=dora.username.upper())),
        (400, USERNAME_TAKEN),
    )
    walk.check("the names were not used up by that", other.sign_up().status_code, 201)


@step
def signing_up_with_bad_input(walk):
    whole = {"username": "henk_x", "email": "henk.x@example.com", "password": "s3cret-enough-1"}
    for field in whole:
        without = {name: value for name, value in whole.items() if name != field}
        response = walk.alice.anonymous("POST", "/auth/signup", json=without)
        walk.check(
            f"sign-up without {field}", answer(response), ClientError(400, 422, naming=field)
        )
        for value in (None, "", "   ", [], {}, {"$ne": ""}, "a\0b", "a\ud800b", "x" * 20_000):
            response = walk.alice.anonymous("POST", "/auth/signup", json={**whole, field: value})
            walk.check(
                f"sign-up with {field} {value!r:.30}",
                answer(response),
                ClientError(400, 422, naming=field),
            )
    for email in ("henk", "henk@", "@example.com", "a b@example.com", "a@b@example.com"):
        response = walk.alice.anonymous("POST", "/auth/signup", json={**whole, "email": email})
        walk.check(
            f"sign-up with e-mail {email!r}",
            answer(response),
            ClientError(400, 422, naming="email"),
        )


@step
def twelve_sign_ups_race(walk):
    runners = [Person(walk.url, "ivan") for _ in range(12)]
    email = runners[0].email
    spellings = [email if turn % 2 else email.upper() for turn in range(12)]
    with ThreadPoolExecutor(12) as pool:
        responses = list(
            pool.map(lambda runner, spelling: runner.sign_up(email=spelling), runners, spellings)
        )
    won = [response for response in responses if response.status_code == 201]
    lost = [answer(response) for response in responses if response.status_code != 201]
    walk.check("of twelve racing sign-ups for one e-mail, one wins", len(won), 1)
    walk.check("and eleven are told", lost, [(400, EMAIL_TAKEN)] * 11)


@step
def logging_in(walk):
    alice = walk.alice
    tokens_given = AtLeast(access_token=a_text, token_type="bearer")
    for path in ("/auth/login", "/auth/token", "/auth/login/", "/auth/token/"):
        for name, login in (("e-mail", alice.email), ("user name", alice.username)):
            form = {"username": login, "password": alice.password}
            walk.check(
                f"POST {path} with the {name}, urlencoded",
                answer(alice.anonymous("POST", path, data=form)),
                (200, tokens_given),
            )
        parts = {name: (None, value) for name, value in form.items()}
        walk.check(
            f"POST {path}, multipart",
            answer(alice.anonymous("POST", path, files=parts)),
            (200, tokens_given),
        )
    oauth2 = {"grant_type": "password", "scope": "", "client_id": "", "client_secret": ""}
    walk.check(
        "the other fields of an OAuth 2 form may come too",
        answer(alice.anonymous("POST", "/auth/token", data=form | oauth2)),
        (200, tokens_given),
    )

    wrong = alice.anonymous("POST", "/auth/login", data={**form, "password": "not it"})
    walk.check("a wrong password is refused", answer(wrong), (401, WRONG_LOGIN))
    walk.check("a wrong password: the challenge", wrong.headers.get("WWW-Authenticate"), "Bearer")
    unknown = alice.anonymous("POST", "/auth/token", data={**form, "username": "no@example.com"})
    walk.check("an unknown person gets the same answer", answer(unknown), answer(wrong))
    walk.check(
        "an unknown person: the challenge", unknown.headers.get("WWW-Authenticate"), "Bearer"
    )

    for path in ("/auth/login", "/auth/token"):
        for field in form:
            without = {name: value for name, value in form.items() if name != field}
            walk.check(
                f"POST {path} without {field}",
                answer(alice.anonymous("POST", path, data=without)),
                ClientError(422, naming=field),
            )
        walk.check(
            f"POST {path} with nothing",
            answer(alice.anonymous("POST", path)),
            ClientError(422, naming="username"),
        )
    walk.check(
        "an operator for a name is only a name",
        answer(
            alice.anonymous(
                "POST", "/auth/login", data={"username[$ne]": "x", "password[$ne]": "x"}
            )
        ),
        ClientError(422, naming="username"),
    )
    for password in ("x" * 5_000, "a\0b"):
        walk.check(
            f"a login with password {password!r:.12} is refused",
            answer(alice.anonymous("POST", "/auth/login", data={**form, "password": password})),
            ClientError(400, 401, 422),
        )


@step
def what_a_token_is(walk):
    header, claims = tokens.read(walk.alice.log_in())
    lifetime = claims.get("exp", 0) - time.time()
    minutes = walk.token_minutes
    walk.check("the token is HS256", header.get("alg"), "HS256")
    walk.check("its sub is the e-mail", claims.get("sub"), walk.alice.email)
    walk.check(
        f"it lives {minutes} minutes",
        round(lifetime),
        Shape(f"{minutes - 1} to {minutes} minutes", lambda s: 0 <= minutes * 60 - s <= 60),
    )
    if "iat" in claims:
        walk.check("from its issue on", claims["exp"] - claims["iat"], minutes * 60)


@step
def who_one_is(walk):
    alice = walk.alice
    me = (200, AtLeast(id=alice.id, username=alice.username, email=alice.email))
    for path in ("/auth/users/me", "/auth/users/me/"):
        walk.check(f"GET {path} answers {{id, username, email}}", answer(alice.get(path)), me)
    for scheme in ("Bearer", "bearer", "BEARER", "bEaReR"):
        response = alice.anonymous(
            "GET", "/auth/users/me", headers={"Authorization": f"{scheme} {alice.token}"}
        )
        walk.check(f"the scheme may be written {scheme}", answer(response), me)


@step
def without_a_token(walk):
    cases = {
        "no token": ({}, NOT_AUTHENTICATED),
        "a bad token": ({"Authorization": "Bearer garbage"}, BAD_TOKEN),
    }
    for method, path, options in protected_endpoints(walk):
        for name, (headers, body) in cases.items():
            response = walk.alice.anonymous(method, path, headers=headers, **options)
            walk.check(f"{method} {path} with {name}", answer(response), (401, body))
            challenge = response.headers.get("WWW-Authenticate")
            # Exactly this, as the earlier service had it: no realm, nothing else.
            walk.check(f"{method} {path} with {name}: the challenge", challenge, "Bearer")


@step
def with_a_token_that_is_not_ours(walk):
    def ask(authorization):
        headers = {"Authorization": authorization}
        return walk.alice.anonymous("GET", "/auth/users/me", headers=headers)

    for name, token in tokens.bad_tokens(walk.alice.token).items():
        walk.check(f"a token {name} is refused", answer(ask(f"Bearer {token}")), (401, BAD_TOKEN))

    login = {"username": walk.alice.email, "password": walk.alice.password}
    given = walk.alice.anonymous("POST", "/auth/login", data=login).json()
    if "refresh_token" in given:
        walk.check(
            "a refresh token is no access token",
            answer(ask(f"Bearer {given['refresh_token']}")),
            (401, BAD_TOKEN),
        )
    either = (401, OneOf(NOT_AUTHENTICATED, BAD_TOKEN))
    for authorization in (
        "Bearer",
        "Bearer ",
        walk.alice.token,
        f"Token {walk.alice.token}",
        "Basic YTpi",
        f"Bearer {walk.alice.token} more",
        f"Bearer {walk.alice.token}".encode() + b"\xff\xfe",
    ):
        response = ask(authorization)
        shown = str(authorization).replace(walk.alice.token, "<token>")
        walk.check(f"Authorization: {shown!r} is refused", answer(response), either)
    walk.check(
        "the answer to a stranger is JSON",
        response.headers.get("Content-Type"),
        containing("application/json"),
    )
