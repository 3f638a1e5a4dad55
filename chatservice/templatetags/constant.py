"""Parts of a template that are the same wherever they stand, and differ only by the language."""

from django import template
from django.template.base import Node, NodeList, Parser, TextNode, Token
from django.template.context import Context
from django.template.loader_tags import IncludeNode
from django.templatetags.i18n import TranslateNode
from django.utils.safestring import SafeString
from django.utils.translation import get_language

register = template.Library()


class ConstantNode(Node):
    """What it holds is rendered once for each language, and then remembered."""

    def __init__(self, nodelist: NodeList) -> None:
        self.nodelist = nodelist
        self._rendered: dict[str | None, SafeString] = {}

    def render(self, context: Context) -> SafeString:
        language = get_language()
        if language not in self._rendered:
            self._rendered[language] = self.nodelist.render(context)
        return self._rendered[language]


@register.tag
def constant(parser: Parser, token: Token) -> ConstantNode:
    """`{% constant %} ... {% endconstant %}` around texts, translations of texts, and icons.

    In a row that is repeated fifty times, these cost more than all that differs. Anything else is
    refused: a variable would show everybody what the first reader saw.
    """
    nodelist = parser.parse(("endconstant",))
    parser.delete_first_token()
    for node in nodelist:
        if not is_constant(node):
            raise template.TemplateSyntaxError(f"{node!r} is not the same for everybody.")
    return ConstantNode(nodelist)


def is_constant(node: Node) -> bool:
    match node:
        case TextNode():
            return True
        case TranslateNode():
            return node.filter_expression.var.lookups is None  # a text in quotes
        case IncludeNode():
            return str(node.template.var).startswith("icons/") and not node.extra_context
    return False
