"""How many items find a difference, and which difference so many items find."""

from math import ceil
from statistics import NormalDist

from ..arguments import checked, is_whole
from ..records import MeasurementError

# What a sum of floats leaves above a whole number is no further item.
_ROUNDING = 1e-9
FEWEST = 2


@checked
def items_needed(
    detect: float,
    *,
    omega2: float,
    sigma2_a: float = 0.0,
    sigma2_b: float = 0.0,
    k_a: int = 1,
    k_b: int = 1,
    alpha: float = 0.05,
    power: float = 0.8,
) -> int:
    """The items on which a true difference of `detect` is called with this power.

    n = (z_a/2 + z_b)^2 (w^2 + s_A^2/K_A + s_B^2/K_B) / d^2, rounded up (Miller 2024,
    arXiv:2411.00640, section 5). `omega2` is the variance over items of the true difference on an
    item, `sigma2_a` that of the scores of a on one item, of which `k_a` replications are averaged.
    It takes items for independent, and the normal quantiles for those of the test that is made.
    """
    checked_power(alpha, power)
    if detect <= 0:
        raise MeasurementError(f"detect is {detect:g}: give a difference above 0, such as 0.02")
    variance = _variance(omega2, sigma2_a, sigma2_b, k_a, k_b)
    normal = NormalDist()
    z = normal.inv_cdf(1 - alpha / 2) + normal.inv_cdf(power)
    return max(FEWEST, ceil(z * z * variance / detect**2 - _ROUNDING))


@checked
def smallest_difference(
    items: int,
    *,
    omega2: float,
    sigma2_a: float = 0.0,
    sigma2_b: float = 0.0,
    k_a: int = 1,
    k_b: int = 1,
    alpha: float = 0.05,
    power: float = 0.8,
    items_per_cluster: float = 1.0,
) -> float:
    """The smallest true difference that a t test on so many items calls with this power.

    (t_a/2 + t_b) sqrt(variance / n), with one degree of freedom less than there are clusters: it
    asks for about two items more than `items_needed`, whose quantiles are normal. `omega2` of
    items in clusters is that of their clustered error.
    """
    checked_power(alpha, power)
    if not is_whole(items, FEWEST):
        raise MeasurementError(f"items is {items}: give a whole number, {FEWEST} or more")
    if items_per_cluster < 1:
        raise MeasurementError(f"items_per_cluster is {items_per_cluster:g}: give 1 or more")
    variance = _variance(omega2, sigma2_a, sigma2_b, k_a, k_b)
    return float(t_sum(items, items_per_cluster, alpha, power) * (variance / items) ** 0.5)


def t_sum(items: float, items_per_cluster: float, alpha: float, power: float) -> float:
    """The quantiles of Student's t of the test and of its power, added."""
    from scipy import special

    df = max(1.0, items / items_per_cluster - 1)
    return float(special.stdtrit(df, 1 - alpha / 2) + special.stdtrit(df, power))


def checked_power(alpha: float, power: float) -> None:
    """Raise MeasurementError for what is no share, or less than chance."""
    if not 0 < alpha < 1:
        raise MeasurementError(f"alpha is {alpha:g}: give a share above 0 and below 1, as 0.05")
    if not 0 < power < 1:
        raise MeasurementError(f"power is {power:g}: give a share above 0 and below 1, as 0.8")
    if power <= alpha:
        raise MeasurementError(
            f"power is {power:g}, and alpha {alpha:g}: a test without any difference calls one as"
            " often; give more power, such as 0.8"
        )


def _variance(omega2: float, sigma2_a: float, sigma2_b: float, k_a: int, k_b: int) -> float:
    given = {"omega2": omega2, "sigma2_a": sigma2_a, "sigma2_b": sigma2_b}
    for name, value in given.items():
        if value < 0:
            raise MeasurementError(f"{name} is {value:g}: a variance is 0 or more")
    for name, count in {"k_a": k_a, "k_b": k_b}.items():
        if not is_whole(count, 1):
            raise MeasurementError(f"{name} is {count}: give a whole number, 1 or more")
    return omega2 + sigma2_a / k_a + sigma2_b / k_b
