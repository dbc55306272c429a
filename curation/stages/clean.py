"""Table `clean`: from which sides of the splits the noise goes.

With `[stages.noise] keep_marked = true` noise takes part in groups and splits, marked by its reason. This stage then
drops it from the sides that must be clean and leaves it on the others, where the release marks it `is_clean = False`:
a test set of all pictures and one of the clean ones are then both there. Table: sample_id, is_clean.
"""

from __future__ import annotations

import pandas as pd

from catalog.errors import UsageError
from catalog.schema import SPLITS
from curation.contract import TableInputs, TableResult
from curation.decisions import decision, decisions_frame, records
from curation.stages.registry import check_params

NOISE_REASONS = ("noise_above_threshold", "noise_uncertain", "noise_verdict")


class CleanStage:
    """Setting `sides`: the sides that hold no noise; default `train` alone."""

    name = "clean"
    version = 1
    signals: tuple[str, ...] = ()
    tables: tuple[str, ...] = ("samples", "splits")
    reads_verdicts: tuple[str, ...] = ()
    reads_assignments = False

    def run(self, inputs: TableInputs) -> TableResult:
        """Drop what is marked as noise from the sides that must be clean.

        Raises:
            UsageError: an unknown side, or a recipe without splits or without the stage `noise`.
        """
        check_params(self.name, inputs.params, ("sides",))
        sides = list(inputs.params.get("sides", ["train"]))
        if unknown := sorted(set(sides) - set(SPLITS)):
            raise UsageError(
                f"[stages.clean]: unknown side {', '.join(unknown)}, expected some of: {', '.join(SPLITS)}"
            )
        if "splits" not in inputs.tables or "noise" not in inputs.recipe.stages:
            raise UsageError("[stages.clean] needs [stages.noise] and [splits]")
        marked = inputs.decisions[
            (inputs.decisions["outcome"] == "keep") & inputs.decisions["reason"].isin(NOISE_REASONS)
        ]
        reasons = dict(zip(marked["sample_id"], marked["reason"], strict=True))
        splits = inputs.tables["splits"][["sample_id", "split"]]
        frame = splits.merge(inputs.tables["samples"], on="sample_id")
        noisy = frame[frame["sample_id"].isin(reasons) & frame["split"].isin(sides)]
        table = pd.DataFrame(
            {"sample_id": frame["sample_id"], "is_clean": ~frame["sample_id"].isin(reasons)}
        ).sort_values("sample_id", ignore_index=True)
        rows = [decision(self.name, row, "drop", reasons[row["sample_id"]]) for row in records(noisy)]
        return TableResult(table=table, decisions=decisions_frame(rows), facts={"dropped_count": len(rows)})
