from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from curation.ops.components import component_of_keys

keys = st.one_of(st.none(), st.integers(0, 5))


@given(st.lists(st.tuples(keys, keys, keys), max_size=20))
def test_equals_naive_flooding(rows):
    found = component_of_keys([list(column) for column in zip(*rows, strict=True)]) if rows else []
    sides = list(range(len(rows)))
    for _ in rows:
        for i, a in enumerate(rows):
            for j, b in enumerate(rows):
                if any(x is not None and x == y for x, y in zip(a, b, strict=True)):
                    sides[i] = sides[j] = min(sides[i], sides[j])
    assert [[found[i] == found[j] for j in range(len(rows))] for i in range(len(rows))] == [
        [sides[i] == sides[j] for j in range(len(rows))] for i in range(len(rows))
    ]
