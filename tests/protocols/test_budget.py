"""What goes beyond a budget is refused."""

from custom_components.rumpus.protocols.budget import Budget


def test_budget() -> None:
    """It is spent at once or as it comes back, and never more than its size."""
    budget = Budget(3, 2.0)
    assert [budget.take(100.0) for _ in range(4)] == [True, True, True, False]
    assert [budget.take(101.0) for _ in range(3)] == [True, True, False]
    assert [budget.take(1e6) for _ in range(4)] == [True, True, True, False]


def test_what_is_left() -> None:
    budget = Budget(3, 2.0)
    assert budget.take(100.0)
    assert budget.left(100.0) == 2
    assert budget.left(100.25) == 2.5
    assert budget.left(200.0) == 3
