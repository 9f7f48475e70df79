"""Exponentials, logarithms and what is made of them, for every lane of a vector at once.

A call into the mathematics library of the system handles one number, and another library rounds it otherwise. These
functions are straight lines of multiplications, additions and selections without a branch, so they run at the speed of
the registers, and every machine gives the same bits. Each takes a vector of float32 or of float64 and returns one of
the same type; the element type decides the constants and how long a polynomial is.

Largest errors, which the tests hold them to, in units in the last place (ulp) of the exact result:

===================== ======= =======
function              float32 float64
===================== ======= =======
`exp`                 1.1     1.1
`expm1`               1.9     2.0
`log`                 0.9     0.9
`log1p`               1.0     1.0
`tanh`                1.4     1.4
`sigmoid`             2.3     2.3
`softplus`            1.7     1.7
`cosine`, `sine`      4.0     3.4
`normal_distribution` 5.5     7.0
===================== ======= =======

The absolute error of the last is below 1.3e-7 and 3.5e-16. Angles are in turns, up to 2²² and 2⁵¹ of them.

Results below the smallest normal number may be zero instead. Floor 3 of the house; knows nothing of networks.

References
----------
W. J. Cody and W. Waite, "Software manual for the elementary functions", Prentice-Hall, 1980: reduction by a logarithm
of 2 in two parts.
FDLIBM, Sun Microsystems, 1993, and its single-precision form in FreeBSD's msun: the two parts, the polynomial of the
logarithm, the correction of log1p.
S. L. Moshier, Cephes mathematical library, 1984-1992: tanh near zero.
M. M. Shepherd and J. G. Laframboise, "Chebyshev approximation of (1 + 2x) exp(x²) erfc x in 0 ≤ x < ∞", Mathematics
of Computation 36, 1981: the tail of the normal distribution by one polynomial.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from llvmlite import ir
from numba.core.extending import intrinsic

from taut.engine.vectors import VectorType, call

__all__ = ["cosine", "exp", "expm1", "log", "log1p", "normal_distribution", "sigmoid", "sine", "softplus", "tanh"]


@dataclass(frozen=True)
class _Format:
    """What depends on the element type."""

    bits: int
    mantissa: int
    root_of_half: int  # the bits of √½
    log2_high: float  # logarithm of 2; times an exponent, the high part is exact
    log2_low: float
    exp_terms: int
    exp_range: tuple[float, float]  # between them, exp is normal and finite
    log_terms: Sequence[float]
    expm1_floor: float  # below, expm1 is -1
    tanh_over: Sequence[float]
    tanh_under: Sequence[float]
    tanh_ceiling: float  # above, tanh is 1
    tail_ceiling: float  # above, the tail of the normal distribution is below the smallest normal number
    tail_middle: float  # where the polynomial of the tail has its middle
    tail_terms: Sequence[float]
    sine_terms: int

    @property
    def one(self) -> int:
        """The bits of 1.0."""
        return ((1 << (self.bits - self.mantissa - 2)) - 1) << self.mantissa

    @property
    def smallest(self) -> float:
        """The smallest normal number."""
        return 2.0 ** (2 - (1 << (self.bits - self.mantissa - 2)))


# sine_terms: of Taylor's series of sin(2πu) on |u| ≤ 1/4, until what follows is below a tenth of an ulp.
# exp_terms: Taylor's series of exp on |r| ≤ log(2) / 2, until what follows is below a tenth of an ulp.
# log_terms: Lg1 to Lg4 of FreeBSD's k_logf.h, Lg1 to Lg7 of FDLIBM's e_log.c, as are the parts of log(2).
# tanh_over, tanh_under: P and Q of Cephes' tanhf.c and tanh.c.
# tail_terms: Chebyshev interpolation, with 60 digits, of (a + m) (1 - Φ(a)) exp(a² / 2) in t = (a - m) / (a + m), as
# powers of t, on 0 ≤ a ≤ tail_ceiling, where m is tail_middle; relative error 3.4e-9 and 3.4e-17.
_SINGLE = _Format(
    bits=32,
    mantissa=23,
    root_of_half=0x3F3504F3,
    log2_high=0.6931381225585938,
    log2_low=9.05800061445916e-06,
    exp_terms=7,
    exp_range=(-87.33654022216797, 88.72283172607422),
    log_terms=(0.6666666269302368, 0.40000972151756287, 0.2849878668785095, 0.24279078841209412),
    expm1_floor=-20.0,
    tanh_over=(-3.33332819422e-1, 1.33314422036e-1, -5.37397155531e-2, 2.06390887954e-2, -5.70498872745e-3),
    tanh_under=(1.0,),
    tanh_ceiling=10.0,
    tail_ceiling=13.3,
    tail_middle=2.0,
    tail_terms=(
        0.6724080044,
        -0.3314044718,
        0.02879741399,
        0.03671932663,
        -0.0004703334499,
        -0.006734167827,
        -0.001948698456,
        0.000823514546,
        0.0008306990654,
        0.0001310264436,
        -0.0001449205112,
        -6.306499123e-5,
    ),
    sine_terms=7,
)
_DOUBLE = _Format(
    bits=64,
    mantissa=52,
    root_of_half=0x3FE6A09E667F3BCD,
    log2_high=0.6931471803691238,
    log2_low=1.9082149292705877e-10,
    exp_terms=13,
    exp_range=(-708.3964185322641, 709.782712893384),
    log_terms=(
        0.6666666666666735,
        0.3999999999940942,
        0.2857142874366239,
        0.22222198432149784,
        0.1818357216161805,
        0.15313837699209373,
        0.14798198605116586,
    ),
    expm1_floor=-40.0,
    tanh_over=(-1.61468768441708447952e3, -9.92877231001918586564e1, -9.64399179425052238628e-1),
    tanh_under=(4.84406305325125486048e3, 2.23548839060100448583e3, 1.12811678491632931402e2, 1.0),
    tanh_ceiling=20.0,
    tail_ceiling=37.7,
    tail_middle=4.0,
    tail_terms=(
        0.755285130415751482,
        -0.607896641971891756,
        0.387137400742218271,
        -0.186521857959694808,
        0.0603965748907301617,
        -0.00754018896556145206,
        -0.00347969236284029225,
        0.00163081844124276596,
        0.000133344259876998646,
        -0.000231094811459889555,
        -1.90789904542265821e-6,
        0.0000351441393258252715,
        7.15112789176635983e-7,
        -5.91873782794706776e-6,
        -6.25340226107043871e-7,
        1.01945129207166625e-6,
        2.6389746266048703e-7,
        -1.53777666422862089e-7,
        -7.64476127669280825e-8,
        1.4210966127840914e-8,
        1.38586458714322789e-8,
        1.9054838690700548e-10,
        -9.1847714516788792e-10,
    ),
    sine_terms=11,
)
#: Where tanh changes from a ratio of polynomials to an exponential.
_TANH_MIDDLE = 0.625


class _Reals:
    """A vector while the instructions of a function are written: each of Python's operators writes one."""

    def __init__(self, builder: ir.IRBuilder, value: ir.Value) -> None:
        self.builder, self.value = builder, value
        self.format = _SINGLE if isinstance(value.type.element, ir.FloatType) else _DOUBLE

    def constant(self, number: float) -> _Reals:
        """Return a vector like this with one number in every lane."""
        return _Reals(self.builder, ir.Constant(self.value.type, [number] * self.value.type.count))

    def _operand(self, other: _Reals | float) -> ir.Value:
        return (other if isinstance(other, _Reals) else self.constant(other)).value

    def __add__(self, other: _Reals | float) -> _Reals:
        return _Reals(self.builder, self.builder.fadd(self.value, self._operand(other)))

    def __sub__(self, other: _Reals | float) -> _Reals:
        return _Reals(self.builder, self.builder.fsub(self.value, self._operand(other)))

    def __rsub__(self, other: float) -> _Reals:
        return self.constant(other) - self

    def __mul__(self, other: _Reals | float) -> _Reals:
        return _Reals(self.builder, self.builder.fmul(self.value, self._operand(other)))

    def __truediv__(self, other: _Reals) -> _Reals:
        return _Reals(self.builder, self.builder.fdiv(self.value, other.value))

    def __rtruediv__(self, other: float) -> _Reals:
        return self.constant(other) / self

    def __neg__(self) -> _Reals:
        return _Reals(self.builder, self.builder.fneg(self.value))

    def times_plus(self, factor: _Reals | float, term: _Reals | float) -> _Reals:
        """Return ``self * factor + term``, rounded once."""
        operands = (self.value, self._operand(factor), self._operand(term))
        return _Reals(self.builder, call(self.builder, "llvm.fma", operands))

    def absolute(self) -> _Reals:
        """Return the absolute values."""
        return _Reals(self.builder, call(self.builder, "llvm.fabs", (self.value,)))

    def with_sign_of(self, other: _Reals) -> _Reals:
        """Return the absolute values with the signs of another vector."""
        return _Reals(self.builder, call(self.builder, "llvm.copysign", (self.value, other.value)))

    def where(self, relation: str, bound: float) -> Callable[[_Reals | float, _Reals | float], _Reals]:
        """Return what chooses between two vectors: the first in lanes where this one stands in a relation to a number.

        A lane that is not a number stands in none.
        """
        chosen = self.builder.fcmp_ordered(relation, self.value, self._operand(bound))
        return lambda a, b: _Reals(self.builder, self.builder.select(chosen, self._operand(a), self._operand(b)))

    def at_least(self, bound: float) -> _Reals:
        """Return the vector with lanes below a bound raised to it."""
        return self.where("<", bound)(bound, self)

    def at_most(self, bound: float) -> _Reals:
        """Return the vector with lanes above a bound lowered to it."""
        return self.where(">", bound)(bound, self)

    def polynomial(self, coefficients: Sequence[float]) -> _Reals:
        """Return the polynomial with the given coefficients, lowest power first.

        Horner's scheme for the even powers and for the odd ones, so that two chains of half the length run at once.
        """
        if len(coefficients) == 1:
            return self.constant(coefficients[0])
        square = self * self
        even, odd = (self.constant(coefficients[::2][-1]), self.constant(coefficients[1::2][-1]))
        for coefficient in coefficients[::2][-2::-1]:
            even = even.times_plus(square, coefficient)
        for coefficient in coefficients[1::2][-2::-1]:
            odd = odd.times_plus(square, coefficient)
        return odd.times_plus(self, even)

    # The same lanes as integers, for what is done to exponents.

    def integers(self) -> ir.Value:
        """Return the bits."""
        return self.builder.bitcast(self.value, ir.VectorType(ir.IntType(self.format.bits), self.value.type.count))

    def integer(self, number: int) -> ir.Value:
        """Return a vector of integers with one number in every lane."""
        return ir.Constant(self.integers().type, [number] * self.value.type.count)

    def of_bits(self, bits: ir.Value) -> _Reals:
        """Return the vector with the given bits."""
        return _Reals(self.builder, self.builder.bitcast(bits, self.value.type))


def _reduced(x: _Reals) -> tuple[_Reals, ir.Value]:
    """Return r and the bits of the exponent of 2ⁿ, added to nothing, where x = n log(2) + r and |r| ≤ log(2) / 2."""
    form = x.format
    # Adding this number leaves the nearest integer in the lowest bits.
    shift = 1.5 * 2.0**form.mantissa
    shifted = x.times_plus(1.0 / math.log(2.0), shift)
    n = shifted - shift
    r = n.times_plus(-form.log2_low, n.times_plus(-form.log2_high, x))
    return r, x.builder.shl(shifted.integers(), x.integer(form.mantissa))


def _small_expm1(r: _Reals) -> _Reals:
    """Return exp(r) - 1 for |r| ≤ log(2) / 2."""
    series = r.polynomial([1.0 / math.factorial(i) for i in range(2, r.format.exp_terms + 1)])
    return (r * r).times_plus(series, r)


def _exp_in_range(x: _Reals) -> _Reals:
    """Return exp(x) for x within exp_range."""
    r, exponent = _reduced(x)
    mantissa = _small_expm1(r) + 1.0
    return x.of_bits(x.builder.add(mantissa.integers(), exponent))


def _exp_below_overflow(x: _Reals) -> _Reals:
    return x.where("<", x.format.exp_range[0])(0.0, _exp_in_range(x))


def _exp(x: _Reals) -> _Reals:
    # What is too large becomes infinite by this product, and what is not a number stays so.
    return x.where("<=", x.format.exp_range[1])(_exp_below_overflow(x), x * (1.0 / x.format.smallest))


def _expm1(x: _Reals) -> _Reals:
    r, exponent = _reduced(x.at_least(x.format.expm1_floor))
    # Half of 2ⁿ, because 2ⁿ may be too large where the result is not.
    half = x.of_bits(x.builder.add(exponent, x.constant(0.5).integers()))
    halved = half.times_plus(_small_expm1(r), half - 0.5)
    return x.where(">", x.format.exp_range[1])(math.inf, halved + halved)


def _log_of_positive(x: _Reals, correction: _Reals | None = None, lift: _Reals | None = None) -> _Reals:
    """Return log(x + correction) for normal x, where the correction is below one rounding of x.

    `lift` is added to the exponent of 2.
    """
    form, builder = x.format, x.builder
    # x = 2ᵏ (1 + f) with √½ ≤ 1 + f < √2.
    bits = builder.add(x.integers(), x.integer(form.one - form.root_of_half))
    in_mantissa = (1 << form.mantissa) - 1
    biased = builder.lshr(bits, x.integer(form.mantissa))
    # An integer in the lowest bits of 2 to the length of the mantissa, which is then taken away again.
    whole = 2.0**form.mantissa
    k = x.of_bits(builder.add(biased, x.constant(whole).integers())) - (whole + (form.one >> form.mantissa))
    if lift is not None:
        k = k + lift
    f = x.of_bits(builder.add(builder.and_(bits, x.integer(in_mantissa)), x.integer(form.root_of_half))) - 1.0

    # log(1 + f) = f - f²/2 + s (f²/2 + R(s²)), s = f / (2 + f).
    s = f / (f + 2.0)
    square = s * s
    half_square = f * f * 0.5
    rest = s * (half_square + square * square.polynomial(form.log_terms))
    small = k.times_plus(form.log2_low, rest)
    if correction is not None:
        # correction / x to a few bits: 2⁻ᵏ (1 - f + f²) is 1 / x nearly enough. One power more, because 2⁻ᵏ may be
        # below the normal numbers.
        twice = builder.sub(x.integer(2 * form.one + (1 << form.mantissa)), builder.and_(bits, x.integer(~in_mantissa)))
        half_inverse = f.times_plus(f.times_plus(0.5, -0.5), 0.5)
        small = (correction * x.of_bits(twice)).times_plus(half_inverse, small)
    return k.times_plus(form.log2_high, f - (half_square - small))


def _with_edges_of_log(x: _Reals, result: _Reals) -> _Reals:
    """Replace the logarithm of x where x is zero, negative, infinite or not a number."""
    # What is at the upper edge or not a number is its own logarithm.
    inside = x.where("<", math.inf)(result, x)
    return x.where("<", 0.0)(math.nan, x.where("==", 0.0)(-math.inf, inside))


def _log(x: _Reals) -> _Reals:
    # Numbers below the normal ones are lifted first.
    is_low, lift = x.where("<", x.format.smallest), x.format.mantissa
    lifted = is_low(x * 2.0**lift, x)
    return _with_edges_of_log(x, _log_of_positive(lifted, lift=is_low(-float(lift), 0.0)))


def _log1p_below_overflow(x: _Reals) -> tuple[_Reals, _Reals]:
    """Return 1 + x as rounded, and log(1 + x) where that is positive and finite."""
    u = x + 1.0
    # What the sum has rounded off, exactly, unless x is so large that it does not count.
    return u, _log_of_positive(u, x - (u - 1.0))


def _log1p(x: _Reals) -> _Reals:
    return _with_edges_of_log(*_log1p_below_overflow(x))


def _tanh(x: _Reals) -> _Reals:
    # Up to the middle x + x³ P(x²) / Q(x²), from there 1 - 2 / (exp(2 |x|) + 1): both are a sum with one quotient.
    form, a = x.format, x.absolute().at_most(x.format.tanh_ceiling)
    square = a * a
    is_small = a.where("<", _TANH_MIDDLE)
    numerator = is_small(a * square * square.polynomial(form.tanh_over), -2.0)
    denominator = is_small(square.polynomial(form.tanh_under), _exp_in_range(a + a) + 1.0)
    return (numerator / denominator + is_small(a, 1.0)).with_sign_of(x)


def _sigmoid(x: _Reals) -> _Reals:
    # exp of a negative number only, so that nothing overflows.
    e = _exp_below_overflow(-x.absolute())
    return x.where(">=", 0.0)(1.0, e) / (e + 1.0)


def _softplus(x: _Reals) -> _Reals:
    return _log1p_below_overflow(_exp_below_overflow(-x.absolute()))[1] + x.at_least(0.0)


def _normal_distribution(x: _Reals) -> _Reals:
    middle, a = x.format.tail_middle, x.absolute().at_most(x.format.tail_ceiling)
    shifted = a + middle
    inverse = 1.0 / shifted
    # What the sum has rounded off is made good to first order.
    lost = a - (shifted - middle)
    t = (lost * inverse * (2.0 * middle)).times_plus(inverse, inverse.times_plus(-2.0 * middle, 1.0))
    # The rounding of a² would be magnified by exp, so it is made good.
    square = a * a
    rounding = a.times_plus(a, -square)
    rounded = _exp_below_overflow(square * -0.5)
    density = rounded.times_plus(rounding * -0.5, rounded)
    tail = t.polynomial(x.format.tail_terms) * inverse * density
    return x.where("<", 0.0)(tail, 1.0 - tail)


def _sine_of_quarter(u: _Reals) -> _Reals:
    """Return sin(2πu) for |u| ≤ 1/4."""
    terms = [(-1) ** k * math.tau ** (2 * k + 1) / math.factorial(2 * k + 1) for k in range(u.format.sine_terms)]
    return (u * u).polynomial(terms) * u


def _within_a_turn(x: _Reals) -> _Reals:
    """Return what is left of a number of turns when the nearest whole number is taken off, which is exact."""
    shift = 1.5 * 2.0**x.format.mantissa
    return x - (x + shift - shift)


def _cosine(x: _Reals) -> _Reals:
    return _sine_of_quarter(0.25 - _within_a_turn(x).absolute())


def _sine(x: _Reals) -> _Reals:
    turn = _within_a_turn(x)
    a = turn.absolute()
    return _sine_of_quarter(a.where("<", 0.25)(a, 0.5 - a)).with_sign_of(turn)


def _compiled(build: Callable[[_Reals], _Reals]) -> Any:
    """Return the function for compiled code whose instructions `build` writes, each time where it is called."""

    @intrinsic
    def function(typing_context, x):
        if not isinstance(x, VectorType):
            return None

        def generate(context, builder, signature, arguments):
            return build(_Reals(builder, arguments[0])).value

        return x(x), generate

    return function


exp, expm1, log, log1p = (_compiled(build) for build in (_exp, _expm1, _log, _log1p))
tanh, sigmoid, softplus = (_compiled(build) for build in (_tanh, _sigmoid, _softplus))
#: Of an angle in turns, so that the reduction to one turn is exact: cos(2πx) and sin(2πx).
cosine, sine = (_compiled(build) for build in (_cosine, _sine))
#: The distribution function of the standard normal distribution.
normal_distribution = _compiled(_normal_distribution)
