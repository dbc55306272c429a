from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from curation.ops.text_order import sorted_once, text_order

texts = st.one_of(
    st.lists(st.text("abcé~", max_size=4), max_size=30),
    st.lists(st.text("0189abef", min_size=3, max_size=3), max_size=60),  # as ids are: one length
)


@given(texts, st.booleans())
def test_as_python_sorts(given_texts, is_cut):
    array = pa.array(["zz", *given_texts] if is_cut else given_texts, pa.large_string())
    array = array[1:] if is_cut else array
    order = text_order(array).to_pylist()
    assert order == sorted(range(len(given_texts)), key=lambda place: given_texts[place].encode())
    assert sorted_once(array).to_pylist() == sorted(set(given_texts), key=str.encode)


def test_of_pieces():
    assert text_order(pa.chunked_array([["b", "a"], [], ["c", "a"]])).to_pylist() == [1, 3, 0, 2]
