"""Vectors: several numbers in one register, as a type that compiled code can use.

A compiler turns a plain loop into vector instructions only where it can prove that it may, and for the short loops of
small networks the proof costs more than the loop. Here the vectors are explicit: `load` reads as many neighbouring
numbers as a register holds, arithmetic on them is one instruction each, `store` writes them back. How many numbers that
is depends on the processor; everything else in the engine is written for any number.

A *place* is an index into a flat array. Nothing checks bounds: whoever lays out the memory makes it a whole number of
vectors. Floor 3 of the house; knows nothing of networks.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import llvmlite.binding
import numpy as np
from llvmlite import ir
from numba import config, types
from numba.core.datamodel import models
from numba.core.extending import intrinsic, register_model
from numba.core.imputils import lower_builtin
from numba.core.typing.templates import AbstractTemplate, infer_global
from numba.core.typing.templates import signature as typing_signature

__all__ = [
    "IS_X86",
    "WIDTH",
    "VectorType",
    "absolute",
    "any_greater",
    "flush_tiny",
    "fma",
    "lanes",
    "like",
    "load",
    "maximum",
    "minimum",
    "nearest",
    "quick_reciprocal",
    "quick_root",
    "restore_tiny",
    "splat",
    "square_root",
    "store",
    "total",
    "where_greater",
    "with_sign_of",
]


def _features() -> set[str]:
    """Return what the processor that Numba compiles for can do: this one, or the one it was told of."""
    if config.CPU_FEATURES is not None:
        return {name[1:] for name in config.CPU_FEATURES.split(",") if name.startswith("+")}
    if config.CPU_NAME is not None and llvmlite.binding.get_host_cpu_name() != config.CPU_NAME:
        return set()
    return {name for name, is_there in llvmlite.binding.get_host_cpu_features().items() if is_there}


def _register_bytes() -> int:
    """Return how many bytes the widest vector register holds."""
    features = _features()
    return 64 if "avx512f" in features else 32 if "avx2" in features else 16


#: Whether this processor is of the family of which some instructions are used by name.
IS_X86 = llvmlite.binding.get_default_triple().startswith(("x86_64", "i686", "amd64"))

#: Bytes in a vector register.
WIDTH = _register_bytes()

_INDEX = ir.IntType(32)
_ELEMENTS = {
    types.float32: ir.FloatType(),
    types.float64: ir.DoubleType(),
    types.int32: ir.IntType(32),
    types.uint32: ir.IntType(32),
    types.int64: ir.IntType(64),
}
_SUFFIXES = {"float": "f32", "double": "f64", "i32": "i32", "i64": "i64"}


def lanes(dtype: Any) -> int:
    """Return how many numbers of a type one register holds."""
    return WIDTH // np.dtype(dtype).itemsize


class VectorType(types.Type):
    """The type of a vector in compiled code: an element type and a number of lanes."""

    def __init__(self, dtype: types.Type, count: int) -> None:
        self.dtype, self.count = dtype, count
        super().__init__(name=f"Vector({dtype}, {count})")


@register_model(VectorType)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, vector: VectorType) -> None:
        super().__init__(manager, vector, ir_vector(vector))


def ir_vector(vector: VectorType) -> ir.VectorType:
    """Return LLVM's type for a vector."""
    return ir.VectorType(_ELEMENTS[vector.dtype], vector.count)


def full(dtype: types.Type) -> VectorType:
    """Return the vector type that fills a register."""
    return VectorType(dtype, WIDTH * 8 // dtype.bitwidth)


# The instructions that a vector's operations are made of, for this file and for others that generate some.


def pointer(context: Any, builder: ir.IRBuilder, array_type: types.Array, array: ir.Value, place: ir.Value) -> ir.Value:
    """Return the address of an array's element."""
    return builder.gep(context.make_array(array_type)(context, builder, array).data, [place])


def _bytes(element: ir.Type) -> int:
    return 8 if str(element) in ("double", "i64") else 4


def read(builder: ir.IRBuilder, vector: ir.VectorType, address: ir.Value) -> ir.Value:
    """Read a vector from an address that is aligned to its elements only."""
    loaded = builder.load(builder.bitcast(address, vector.as_pointer()))
    loaded.align = _bytes(vector.element)
    return loaded


def write(builder: ir.IRBuilder, value: ir.Value, address: ir.Value) -> None:
    """Write a vector to an address that is aligned to its elements only."""
    stored = builder.store(value, builder.bitcast(address, value.type.as_pointer()))
    stored.align = _bytes(value.type.element)


def spread(builder: ir.IRBuilder, scalar: ir.Value, vector: ir.VectorType) -> ir.Value:
    """Return a vector with the scalar in every lane."""
    undefined = ir.Constant(vector, ir.Undefined)
    single = builder.insert_element(undefined, scalar, _INDEX(0))
    return builder.shuffle_vector(
        single, undefined, ir.Constant(ir.VectorType(_INDEX, vector.count), [0] * vector.count)
    )


def call(builder: ir.IRBuilder, name: str, arguments: Sequence[ir.Value]) -> ir.Value:
    """Call one of LLVM's own functions, such as "llvm.fma", at the vector type of its first argument."""
    vector = arguments[0].type
    mangled = f"{name}.v{vector.count}{_SUFFIXES[str(vector.element)]}"
    signature = ir.FunctionType(vector, [argument.type for argument in arguments])
    function = builder.module.globals.get(mangled) or ir.Function(builder.module, signature, mangled)
    return builder.call(function, arguments)


def interleave(builder: ir.IRBuilder, a: ir.Value, b: ir.Value) -> tuple[ir.Value, ir.Value]:
    """Return the lower halves of two vectors lane by lane in turn, and the upper halves."""
    count = a.type.count
    kind = ir.VectorType(_INDEX, count)
    lower, upper = (
        ir.Constant(kind, [lane for i in range(first, first + count // 2) for lane in (i, i + count)])
        for first in (0, count // 2)
    )
    return builder.shuffle_vector(a, b, lower), builder.shuffle_vector(a, b, upper)


# What compiled code can say.


@intrinsic
def load(typing_context, array, place):
    """Return the vector of an array that begins at a place."""
    vector = full(array.dtype)

    def generate(context, builder, signature, arguments):
        address = pointer(context, builder, signature.args[0], *arguments)
        return read(builder, ir_vector(vector), address)

    return vector(array, types.intp), generate


@intrinsic
def store(typing_context, array, place, value):
    """Write a vector to an array, from a place on."""

    def generate(context, builder, signature, arguments):
        write(builder, arguments[2], pointer(context, builder, signature.args[0], arguments[0], arguments[1]))
        return context.get_dummy_value()

    return types.void(array, types.intp, value), generate


@intrinsic
def splat(typing_context, array, value):
    """Return a vector of the array's type with one number, converted to that type, in every lane."""
    vector = full(array.dtype)

    def generate(context, builder, signature, arguments):
        scalar = context.cast(builder, arguments[1], signature.args[1], vector.dtype)
        return spread(builder, scalar, ir_vector(vector))

    return vector(array, value), generate


@intrinsic
def like(typing_context, model, value):
    """Return a vector of the model's type with one number, converted to that type, in every lane."""

    def generate(context, builder, signature, arguments):
        scalar = context.cast(builder, arguments[1], signature.args[1], model.dtype)
        return spread(builder, scalar, ir_vector(model))

    return model(model, value), generate


def _same(vector: VectorType) -> VectorType:
    return vector


def _scalar(vector: VectorType) -> types.Type:
    return vector.dtype


def _elementwise(arity: int, build: Callable[..., ir.Value], result: Callable[[VectorType], Any] = _same) -> Any:
    """Return a function for compiled code that takes vectors of one type; `build` makes its instructions."""

    def typed(vector):
        if not isinstance(vector, VectorType):
            return None

        def generate(context, builder, signature, arguments):
            return build(builder, *arguments)

        return result(vector)(*[vector] * arity), generate

    if arity == 1:
        return intrinsic(lambda typing_context, a: typed(a))
    if arity == 2:
        return intrinsic(lambda typing_context, a, b: typed(a))
    if arity == 3:
        return intrinsic(lambda typing_context, a, b, c: typed(a))
    return intrinsic(lambda typing_context, a, b, c, d: typed(a))


def _horizontal_sum(builder: ir.IRBuilder, value: ir.Value) -> ir.Value:
    """Add the upper half of a vector to its lower half until one lane is left: a fixed order on every machine."""
    while value.type.count > 1:
        half = value.type.count // 2
        undefined = ir.Constant(value.type, ir.Undefined)
        lower, upper = (
            builder.shuffle_vector(value, undefined, ir.Constant(ir.VectorType(_INDEX, half), [*range(i, i + half)]))
            for i in (0, half)
        )
        value = builder.fadd(lower, upper)
    return builder.extract_element(value, _INDEX(0))


def _any_greater(builder: ir.IRBuilder, a: ir.Value, b: ir.Value) -> ir.Value:
    bits = ir.IntType(a.type.count)
    return builder.icmp_unsigned("!=", builder.bitcast(builder.fcmp_ordered(">", a, b), bits), bits(0))


fma = _elementwise(3, lambda builder, a, b, c: call(builder, "llvm.fma", (a, b, c)))
square_root = _elementwise(1, lambda builder, a: call(builder, "llvm.sqrt", (a,)))
absolute = _elementwise(1, lambda builder, a: call(builder, "llvm.fabs", (a,)))
nearest = _elementwise(1, lambda builder, a: call(builder, "llvm.nearbyint", (a,)))


def _quick(builder: ir.IRBuilder, name: str, value: ir.Value) -> ir.Value | None:
    """Return the processor's own estimate of a function, right to 14 bits, or None if it has none for such vectors."""
    vector = value.type
    if not (IS_X86 and WIDTH == 64 and vector.count == 16 and str(vector.element) == "float"):
        return None
    mask = ir.IntType(16)
    function = builder.module.globals.get(name) or ir.Function(
        builder.module, ir.FunctionType(vector, [vector, vector, mask]), name
    )
    return builder.call(function, [value, ir.Constant(vector, [0.0] * vector.count), mask(0xFFFF)])


def _quick_root(builder: ir.IRBuilder, value: ir.Value) -> ir.Value:
    estimate = _quick(builder, "llvm.x86.avx512.rsqrt14.ps.512", value)
    if estimate is None:
        return call(builder, "llvm.sqrt", (value,))
    half, more = (ir.Constant(value.type, [number] * value.type.count) for number in (-0.5, 1.5))
    root = builder.fmul(value, estimate)
    return builder.fmul(root, call(builder, "llvm.fma", (builder.fmul(root, estimate), half, more)))


def _quick_reciprocal(builder: ir.IRBuilder, value: ir.Value) -> ir.Value:
    estimate = _quick(builder, "llvm.x86.avx512.rcp14.ps.512", value)
    if estimate is None:
        return builder.fdiv(ir.Constant(value.type, [1.0] * value.type.count), value)
    two = ir.Constant(value.type, [2.0] * value.type.count)
    return builder.fmul(estimate, call(builder, "llvm.fma", (builder.fneg(value), estimate, two)))


#: The square root of a number above zero, and one over a number: to within 2 units in the last place, from an estimate
#: and one step of Newton's method where that is quicker.
quick_root, quick_reciprocal = _elementwise(1, _quick_root), _elementwise(1, _quick_reciprocal)
with_sign_of = _elementwise(2, lambda builder, a, b: call(builder, "llvm.copysign", (a, b)))
where_greater = _elementwise(4, lambda builder, a, b, c, d: builder.select(builder.fcmp_ordered(">", a, b), c, d))
maximum = _elementwise(2, lambda builder, a, b: builder.select(builder.fcmp_ordered("<", a, b), b, a))
minimum = _elementwise(2, lambda builder, a, b: builder.select(builder.fcmp_ordered(">", a, b), b, a))
total = _elementwise(1, _horizontal_sum, _scalar)
#: Whether a number of the first vector exceeds that in the same lane of the second.
any_greater = _elementwise(2, _any_greater, lambda vector: types.boolean)


def _write_as(functions: tuple[Any, ...], build: Callable[..., ir.Value], arity: int = 2) -> None:
    """Let compiled code write an operation on vectors of one type as Python's operator."""

    class _Typing(AbstractTemplate):
        def generic(self, arguments, keywords):
            if all(isinstance(argument, VectorType) and argument == arguments[0] for argument in arguments):
                return typing_signature(arguments[0], *arguments)
            return None

    def generate(context, builder, signature, arguments):
        return build(builder, *arguments)

    for function in functions:
        infer_global(function)(type(f"_{function.__name__}", (_Typing,), {}))
        lower_builtin(function, *[VectorType] * arity)(generate)


_write_as((operator.add, operator.iadd), lambda builder, a, b: builder.fadd(a, b))
_write_as((operator.sub, operator.isub), lambda builder, a, b: builder.fsub(a, b))
_write_as((operator.mul, operator.imul), lambda builder, a, b: builder.fmul(a, b))
_write_as((operator.truediv, operator.itruediv), lambda builder, a, b: builder.fdiv(a, b))
_write_as((operator.neg,), lambda builder, a: builder.fneg(a), arity=1)


@intrinsic
def flush_tiny(typing_context):
    """Let this thread's processor take numbers below the smallest normal one for zero; return how it was set before.

    Sums of squares of gradients that die out get there, and arithmetic on such numbers is many times slower.
    """

    def generate(context, builder, signature, arguments):
        if not IS_X86:
            return _INDEX(0)
        before = _control_word(builder, "llvm.x86.sse.stmxcsr")
        _control_word(builder, "llvm.x86.sse.ldmxcsr", builder.or_(before, _INDEX(_FLUSH)))
        return before

    return types.uint32(), generate


@intrinsic
def restore_tiny(typing_context, before):
    """Undo `flush_tiny`."""

    def generate(context, builder, signature, arguments):
        if IS_X86:
            _control_word(builder, "llvm.x86.sse.ldmxcsr", arguments[0])
        return context.get_dummy_value()

    return types.void(types.uint32), generate


#: Two bits of the control word of SSE: results below the smallest normal number are zero, and so are such operands.
_FLUSH = 0x8040


def _control_word(builder: ir.IRBuilder, name: str, value: ir.Value | None = None) -> ir.Value:
    """Read or write the processor's control word for vectors."""
    room = builder.alloca(_INDEX)
    if value is not None:
        builder.store(value, room)
    kind = ir.FunctionType(ir.VoidType(), [ir.IntType(8).as_pointer()])
    function = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
    builder.call(function, [builder.bitcast(room, ir.IntType(8).as_pointer())])
    return builder.load(room)
