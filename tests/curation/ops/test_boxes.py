from __future__ import annotations

import numpy as np
import pytest

from curation.ops.boxes import overlaps, suppress, turn_points, unturn_points


@pytest.mark.parametrize("turn_deg", [0, 90, 180, 270])
def test_points_follow_the_pixels_of_a_turned_picture(turn_deg):
    width, height = 7, 5
    for x in range(width):
        for y in range(height):
            picture = np.zeros((height, width))
            picture[y, x] = 1
            turned_y, turned_x = np.argwhere(np.rot90(picture, turn_deg // 90))[0]
            middle = np.array([[x + 0.5, y + 0.5]])
            turned = turn_points(middle, turn_deg, width, height)
            assert turned.tolist() == [[turned_x + 0.5, turned_y + 0.5]]
            assert np.allclose(unturn_points(turned, turn_deg, width, height), middle)


def test_overlap_is_intersection_over_union():
    box = np.array([0.0, 0, 10, 10])
    others = np.array([[0.0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]])
    assert overlaps(box, others).tolist() == [1.0, pytest.approx(50 / 150), 0.0]


def test_suppression_keeps_the_best_of_each_pile():
    boxes = np.array([[0.0, 0, 10, 10], [1, 0, 11, 10], [30, 30, 40, 40]])
    assert suppress(boxes, np.array([0.7, 0.9, 0.8]), 0.3) == [1, 2]
