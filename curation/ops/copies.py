"""What an agreement of two pictures is worth: the probability that they are copies of one.

The weights come from `python -m benchmarks.bench_copies --fit`: a logistic fit to edits of real photos against hard
pairs that are none (look-alike faces, portraits, garments and things, recoloured garments, frames of one camera,
things on one background, drawn faces and skirts). No pair that a person judged is among them. They were fitted when
colours were compared free of any shift and a thing that only one picture shows did not count; as the pairs are
measured now, all of them fall on their side, and a fit anew would only ask for more structure to agree (0.93 of it
instead of 0.79), which copies that a program warped do not reach. `unmoved` is set by hand: a place twice as large as
any in a warped copy outweighs all that agrees.
"""

from __future__ import annotations

import math

from curation.ops.agreement import Agreement

_BIAS = -1.46
_WEIGHTS = {"agreeing": 1.1, "still": 2.34, "unmoved": 4.0, "colour": 7.98}
"""How many features agree weighs nothing beside these: the fit gave it 0."""
_CONTENT_MIN_FRAC = 0.4
_MARKED_MAX_FRAC = 0.5
"""More than half of a picture under a mark is another picture."""
_COLOUR_LEVELS = 12.0
"""Chroma of copies differs by so much: low quality and clipped highlights do that."""
_SWAPPED_FRAC = 0.01
_MOVED_FRAC, _MOVED_STEP_FRAC = 0.006, 0.005
"""Copies that a program warped have places of up to the first."""
_ROUND = 0.005
"""Keeps the odds of a whole finite."""


def evidence(found: Agreement) -> dict[str, float]:
    """Say what speaks for a copy, each as a number that grows with it.

    Returns:
        agreeing: log odds of the structure that agrees, of what no mark covers. still: less 0 the more there is that
        each has and the other lacks. unmoved: the same of the largest thing. colour: less 0 the more colours differ.
    """
    agreeing = min(1.0, found.agreeing_frac / max(1 - _MARKED_MAX_FRAC, 1 - found.marked_frac))
    return {
        "agreeing": math.log((agreeing + _ROUND) / (1 + _ROUND - agreeing)),
        "still": -max(0.0, found.swapped_frac - _SWAPPED_FRAC) / 0.05,
        "unmoved": -max(0.0, found.moved_frac - _MOVED_FRAC) / _MOVED_STEP_FRAC,
        "colour": -max(0.0, found.colour_distance - _COLOUR_LEVELS) / 10,
    }


def copy_prob(found: Agreement) -> float:
    """Weigh the evidence; 0.5 is the border."""
    if found.content_frac < _CONTENT_MIN_FRAC:
        return 0.0
    weight = _BIAS + sum(_WEIGHTS[name] * value for name, value in evidence(found).items())
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, weight))))
