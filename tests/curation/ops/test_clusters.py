from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from curation.ops.clusters import guarded_clusters
from curation.ops.components import component_of_pairs

pairs = st.dictionaries(
    st.tuples(st.integers(0, 12), st.integers(0, 12)).map(sorted).map(tuple).filter(lambda pair: pair[0] < pair[1]),
    st.floats(0.5, 1),
    max_size=30,
)


@given(pairs)
def test_without_doubt_they_are_the_components(probs):
    found = guarded_clusters(probs, lambda a, b: True)
    edges = np.array(sorted(probs), np.int64).reshape(-1, 2)
    naive = component_of_pairs(13, edges)
    for a in found:
        for b in found:
            assert (found[a] == found[b]) == (naive[a] == naive[b])


@given(pairs, st.sets(st.tuples(st.integers(0, 12), st.integers(0, 12))))
def test_what_is_parted_never_shares_a_cluster(probs, parted):
    def is_parted(a, b):
        return (a, b) in parted or (b, a) in parted

    found = guarded_clusters(
        {pair: prob for pair, prob in probs.items() if not is_parted(*pair)}, lambda a, b: True, is_parted
    )
    assert not [(a, b) for a in found for b in found if a != b and found[a] == found[b] and is_parted(a, b)]


def test_a_chain_is_cut_where_its_hearts_are_no_copies():
    # Two stars, 0 and 5, joined by one weak pair between leaves.
    probs = {(0, 1): 0.99, (0, 2): 0.99, (0, 3): 0.99, (4, 5): 0.98, (5, 6): 0.98, (5, 7): 0.98, (3, 4): 0.6}
    asked = []
    found = guarded_clusters(probs, lambda a, b: asked.append((a, b)) or False)
    assert [found[row] for row in range(8)] == [0, 0, 0, 0, 5, 5, 5, 5]
    assert asked == [(0, 5)]
    assert len(set(guarded_clusters(probs, lambda a, b: True).values())) == 1


def test_a_doubtful_pair_of_hearts_does_not_vouch_for_itself():
    # Two pictures, each with a preview; the previews, which are hearts by their pair, look like copies and are none.
    probs = {(0, 1): 0.64, (2, 3): 0.88, (1, 3): 0.51}
    assert guarded_clusters(probs, lambda a, b: False) == {0: 1, 1: 1, 2: 3, 3: 3}
    assert len(set(guarded_clusters(probs, lambda a, b: (a, b) == (0, 2)).values())) == 1
    sure = {(0, 1): 0.99, (2, 3): 0.98, (1, 3): 0.95}
    assert len(set(guarded_clusters(sure, lambda a, b: False).values())) == 1
