"""Types of the flows' parameters: what the dashboard's forms ask for, and check before a run starts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

RecipeName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", description="Name of a recipe, for example majors.")
]
ReleaseName = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*(@\d{4}-\d{2}-\d{2}\.\d+)?$",
        description="A recipe's name for its latest release, or recipe@version.",
    ),
]
TaskName = Literal["classification", "regression", "metric", "verification"]
"""What can be learned: a list to choose from, as the form cannot ask `training.tasks`."""
RequestId = Annotated[
    str, Field(pattern=r"^take_[0-9a-f]{16}$", description="What `gleanery takedown --later` printed; never a name.")
]
SourcePatterns = Annotated[
    list[str], Field(min_length=1, description="Names or patterns of sources, for example sample-uni*.")
]
JitterSeconds = Annotated[
    float, Field(ge=0, le=3600, description="Wait a random time up to this before the first request, in seconds.")
]
