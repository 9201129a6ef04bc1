"""The count of arguments that a run tried: by value, defaults included, and only where there was a verdict."""

from __future__ import annotations

from benchkit.exercised import Exercised
from benchkit.site_tables import never
from benchkit.spec import Item


def record(status: str, **options: str) -> dict[str, object]:
    return {"item": "Hinge", "status": status, "options": options}


def test_values_are_counted_and_what_was_not_tried_is_told() -> None:
    item = Item(
        "torch.nn.Hinge", lambda x: x, options={"margin": [1.0, 2.0], "swap": [False, True]}, edge_options={"margin": [0.0]}
    )
    counted = Exercised([item])
    counted.add(record("pass"))
    counted.add(record("waived", margin="2.0"))
    counted.add(record("unsupported", swap="True"))
    counted.add({"item": "Another", "status": "pass", "options": {}})

    assert counted.described() == {"Hinge": {"margin": {"1.0": 1, "2.0": 1, "0.0": 0}, "swap": {"False": 2, "True": 0}}}
    assert never(counted.described()) == [("Hinge", "margin", "0.0"), ("Hinge", "swap", "True")]
