"""Automatic edits of a formula: every part of a declaration, and every function of its file that the part calls, with one
thing in its syntax tree changed. The suite must tell each of them from the right one.

An edit is named by the function, the line and the text before and after: ``smooth_l1, line 46: d < beta → d <= beta``.
"""

from __future__ import annotations

import ast
import copy
import functools
import inspect
import struct
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import CodeType
from typing import Any

from benchkit.spec import Function, Item

LONGEST = 48  # characters of the expression around an edit that go into its name

ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult, ast.MatMult: ast.Mult,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip
COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt, ast.GtE), ast.Gt: (ast.GtE, ast.Lt), ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,),
}  # fmt: skip
OPPOSITE = {"min": "max", "minimum": "maximum", "fmin": "fmax", "argmin": "argmax", "nanmin": "nanmax", "any": "all"}
OPPOSITE |= {there: here for here, there in OPPOSITE.items()}
SYMMETRIC = {"maximum", "minimum", "max", "min", "logaddexp", "dot", "equal", "broadcast_arrays", "fmax", "fmin", "add"}
# Of these calls only the first argument, or the first two, are numbers of the formula; the others say where or how many.
SHAPING = {
    "reshape": 1, "expand_dims": 1, "moveaxis": 1, "broadcast_to": 1, "squeeze": 1, "swapaxes": 1, "transpose": 1, "roll": 1,
    "take_along_axis": 2, "put_along_axis": 3, "take": 2, "full": 0, "full_like": 2, "arange": 0, "range": 0, "zeros": 0,
    "ones": 0, "zeros_like": 1, "ones_like": 1, "isinstance": 0, "getattr": 0, "concatenate": 1, "stack": 1, "append": 2,
    "partial": 0, "zip": 0, "eye": 0, "split": 1, "repeat": 1, "tile": 1,
}  # fmt: skip
WHOLE = {"ndim", "size", "shape", "len"}  # what is a whole number, which a constant times 1.001 cannot meet


@dataclass(frozen=True)
class Edit:
    """One edit: the function that it is in, its line, what it makes of what, and the parts that it reaches."""

    function: str
    line: int
    text: str
    kind: str
    parts: Mapping[str, Function]

    @property
    def name(self) -> str:
        return f"{self.function}, line {self.line}: {self.text}"


@functools.cache
def edits(item: Item) -> tuple[Edit, ...]:
    """Every edit of an item, in the order of its file; edits that give the same text are one."""
    sources = _sources(item)
    found: list[Edit] = []
    for name, source in sources.items():
        seen = {ast.unparse(source.node)}
        texts: Counter[str] = Counter()
        for change in _changes(source.node):
            tree = change.applied(source.node)
            if (whole := ast.unparse(tree)) in seen:
                continue
            seen.add(whole)
            before, after = change.described(source.node, tree)
            text = f"{before} → {after}"
            texts[text] += 1
            text += f" ({texts[text]})" if texts[text] > 1 else ""
            parts = _rebuilt(item, sources, name, tree)
            found.append(Edit(source.label, change.line, text, change.kind, parts))
    return tuple(found)


# ---- The functions of a declaration ------------------------------------------------------------------------------------------


@dataclass
class _Source:
    """A function as a syntax tree without decorators, what it is called in the names of edits, and what it calls."""

    function: Function
    node: ast.FunctionDef
    label: str
    calls: tuple[str, ...]


@functools.cache
def _tree(file: str) -> dict[int, ast.AST]:
    """The functions of a file by the line on which they begin, their decorators included."""
    with open(file, encoding="utf-8") as text:
        module = ast.parse(text.read())
    return {
        min([n.lineno, *(d.lineno for d in n.decorator_list)]): n for n in ast.walk(module) if isinstance(n, ast.FunctionDef)
    }


def _node(function: Function) -> ast.FunctionDef | None:
    """The definition of a function, to be renamed; None for a lambda, or where there is no text."""
    code = function.__code__
    try:
        node = _tree(code.co_filename).get(code.co_firstlineno)
    except OSError:
        return None
    if not isinstance(node, ast.FunctionDef) or function.__name__ != node.name:
        return None
    node = copy.deepcopy(node)
    node.decorator_list = []
    return node


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _sources(item: Item) -> dict[str, _Source]:
    """The parts of an item, and the functions of the same file that they reach, by the name that they have while edited."""
    found: dict[str, _Source] = {}

    def visit(key: str, label: str, function: Function) -> None:
        function = inspect.unwrap(function)
        node = _node(function)
        if node is None or key in found:
            return
        node.name = key
        file = function.__code__.co_filename
        near: dict[str, Function] = {}
        for name in _names(function.__code__):
            known = inspect.unwrap(function.__globals__.get(name, None) or len)
            if inspect.isfunction(known) and known.__code__.co_filename == file and known.__name__ == name:
                near[name] = known
        found[key] = _Source(function, node, label, tuple(near))
        for name, known in near.items():
            visit(name, name, known)

    for part, function in item.parts().items():
        visit(f"_part_{part.replace(' ', '_')}", item.slug if part == item.main_part else part, function)
    return found


def _reaches(sources: Mapping[str, _Source], start: str, goal: str) -> bool:
    left, seen = [start], set[str]()
    while left:
        name = left.pop()
        if name == goal:
            return True
        if name not in seen and name in sources:
            seen.add(name)
            left += sources[name].calls
    return False


def _rebuilt(item: Item, sources: Mapping[str, _Source], edited: str, tree: ast.FunctionDef) -> dict[str, Function]:
    """The parts of an item that reach the edited function, made anew so that they see the edit."""
    around = sources[edited].function.__globals__
    scope: dict[str, Any] = dict(around)
    for name, source in sources.items():
        if source.function.__closure__:
            scope |= inspect.getclosurevars(source.function).nonlocals
        node = tree if name == edited else source.node
        exec(_compiled(ast.unparse(node) if name == edited else _text(source), f"<edit of {item.slug}>"), scope)
    found = {}
    for part in item.parts():
        key = f"_part_{part.replace(' ', '_')}"
        if key in sources and _reaches(sources, key, edited):
            found[part] = scope[key]
    return found


def _text(source: _Source) -> str:
    return ast.unparse(source.node)


@functools.lru_cache(maxsize=4096)
def _compiled(text: str, label: str) -> CodeType:
    return compile(text, label, "exec")


# ---- The edits of a function -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Change:
    """A node of a function, by its place in the order of ``ast.walk``, and what comes in its place."""

    place: int
    new: ast.AST
    kind: str
    line: int
    around: int  # the place of the expression that is shown

    def applied(self, function: ast.FunctionDef) -> ast.FunctionDef:
        tree = copy.deepcopy(function)
        target = _walk(tree)[self.place]
        new = ast.copy_location(copy.deepcopy(self.new), target)
        if self.around == self.place:
            new._shown = True  # type: ignore[attr-defined]
        else:
            _walk(tree)[self.around]._shown = True  # type: ignore[attr-defined]
        tree = _Replace(target, new).visit(tree)
        return ast.fix_missing_locations(tree)

    def described(self, function: ast.FunctionDef, tree: ast.FunctionDef) -> tuple[str, str]:
        shown = next(node for node in ast.walk(tree) if getattr(node, "_shown", False))
        return ast.unparse(_walk(function)[self.around]), ast.unparse(shown)


class _Replace(ast.NodeTransformer):
    def __init__(self, target: ast.AST, new: ast.AST) -> None:
        self.target, self.new = target, new

    def visit(self, node: ast.AST) -> Any:
        return self.new if node is self.target else super().visit(node)


def _walk(tree: ast.AST) -> list[ast.AST]:
    return list(ast.walk(tree))


def _changes(function: ast.FunctionDef) -> Iterator[_Change]:
    nodes = _walk(function)
    places = {id(node): place for place, node in enumerate(nodes)}
    parents = {id(child): node for node in nodes for child in ast.iter_child_nodes(node)}

    def around(node: ast.AST) -> ast.AST:
        """The largest expression around a node that is short enough to be read."""
        while isinstance(parent := parents.get(id(node)), (ast.expr, ast.keyword)):
            above = parents[id(parent)] if isinstance(parent, ast.keyword) else parent
            if isinstance(above, (ast.Tuple, ast.Dict)) or len(ast.unparse(above)) > LONGEST:
                break
            node = above
        return node

    for node in _numbers(function):
        for kind, new in _versions(node, parents.get(id(node))):
            place, shown = places[id(node)], places[id(around(node))]
            yield _Change(place, new, kind, getattr(node, "lineno", 0), shown)


def _numbers(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function that its numbers come from, in the order of the text: no axes, shapes, indices and errors."""
    if isinstance(node, (ast.Raise, ast.Assert, ast.arguments, ast.keyword)):
        return
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # the docstring
    if isinstance(node, ast.expr):
        yield node
    if isinstance(node, ast.Subscript):
        yield from _numbers(node.value)
        if isinstance(node.slice, (ast.Call, ast.Compare)) and not _whole(node.slice):
            yield from _numbers(node.slice)  # a mask or a computed index
        return
    if isinstance(node, ast.Call):
        count = SHAPING.get(_called(node))
        if isinstance(node.func, ast.Attribute) and not _module(node.func.value):
            yield from _numbers(node.func.value)  # a method: of the numbers before the dot
            count = 0 if _called(node) in SHAPING else count
        for argument in node.args[:count]:
            yield from _numbers(argument)
        return
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, (ast.operator, ast.cmpop, ast.boolop, ast.unaryop, ast.expr_context)):
            yield from _numbers(child)


def _called(node: ast.AST) -> str:
    """The bare name of what is called."""
    function = node.func if isinstance(node, ast.Call) else node
    return function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""


def _module(node: ast.AST) -> bool:
    return (isinstance(node, ast.Name) and node.id in ("np", "scipy", "special", "math")) or (
        isinstance(node, ast.Attribute) and _module(node.value)
    )


def _whole(node: ast.AST) -> bool:
    """Whether an expression counts something."""
    return any(isinstance(n, (ast.Attribute, ast.Call)) and (_called(n) in WHOLE) for n in ast.walk(node))


def _versions(node: ast.AST, parent: ast.AST | None) -> Iterator[tuple[str, ast.AST]]:
    """What may come in the place of a node."""
    if isinstance(node, ast.BinOp):
        yield from _binary(node)
    elif isinstance(node, ast.Constant):
        yield from _constant(node, parent)
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        for other in COMPARED.get(type(node.ops[0]), ()):
            yield "comparison", ast.Compare(node.left, [other()], node.comparators)
    elif isinstance(node, ast.BoolOp):
        yield "and, or", ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        for number in range(len(node.values)):
            left = [value for n, value in enumerate(node.values) if n != number]
            yield "term dropped", ast.BoolOp(node.op, left) if len(left) > 1 else left[0]
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.Not, ast.Invert)):
        if not isinstance(node.operand, ast.Constant):
            yield "sign dropped", node.operand
    elif isinstance(node, ast.IfExp):
        yield "branches swapped", ast.IfExp(node.test, node.orelse, node.body)
    elif isinstance(node, ast.Call):
        yield from _call(node)


def _binary(node: ast.BinOp) -> Iterator[tuple[str, ast.AST]]:
    other = ARITHMETIC.get(type(node.op))
    counting = _whole(node.left) and isinstance(node.right, ast.Constant)
    if other is None or counting or any(isinstance(n, ast.Dict) for n in ast.walk(node)):
        return  # counts, or puts dictionaries together
    yield "operator", ast.BinOp(node.left, other(), node.right)
    if isinstance(node.op, ast.Pow):
        yield "exponent", ast.BinOp(node.left, node.op, ast.BinOp(node.right, ast.Add(), ast.Constant(1)))
        return
    yield "term dropped", node.left
    if isinstance(node.op, (ast.Add, ast.Mult, ast.BitAnd, ast.BitOr, ast.Sub)):
        yield "term dropped", ast.UnaryOp(ast.USub(), node.right) if isinstance(node.op, ast.Sub) else node.right
    if isinstance(node.op, ast.Add) and _called(node.left) == "sqrt" and isinstance(node.left, ast.Call):
        inner = ast.BinOp(node.left.args[0], ast.Add(), node.right)
        yield "epsilon moved", ast.Call(node.left.func, [inner], [])


def _constant(node: ast.Constant, parent: ast.AST | None) -> Iterator[tuple[str, ast.AST]]:
    value = node.value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return
    if isinstance(parent, ast.Compare) and any(_whole(side) for side in (parent.left, *parent.comparators)):
        return
    if isinstance(parent, (ast.Tuple, ast.List)) or value in (float("inf"), float("-inf")):
        return
    if value == 0:
        yield "constant", ast.Constant(1e-3)
        return
    yield "constant", ast.Constant(float(f"{value * 1.001:.12g}"))
    single = struct.unpack("f", struct.pack("f", value))[0]
    if single != value:
        yield "constant in float32", ast.Constant(single)


def _call(node: ast.Call) -> Iterator[tuple[str, ast.AST]]:
    name = _called(node)
    if name in OPPOSITE:
        swapped = copy.deepcopy(node.func)
        if isinstance(swapped, ast.Attribute):
            swapped.attr = OPPOSITE[name]
        elif isinstance(swapped, ast.Name):
            swapped.id = OPPOSITE[name]
        yield "min, max", ast.Call(swapped, node.args, node.keywords)
    if name == "where" and len(node.args) == 3:
        yield "branches swapped", ast.Call(node.func, [node.args[0], node.args[2], node.args[1]], node.keywords)
    elif len(node.args) > 1 and name not in SYMMETRIC and name not in SHAPING:
        if any(isinstance(argument, ast.Starred) for argument in node.args[:2]):
            return
        yield "arguments swapped", ast.Call(node.func, [node.args[1], node.args[0], *node.args[2:]], node.keywords)
