"""What came of a schedule's time, for the audit: done in the schedule's name."""

from collections.abc import Callable

from actors.scenes.model import Run, Schedule
from actors.storage.audit import Act, AuditLog


def into(audit: AuditLog) -> Callable[[Schedule, Run], None]:
    """Writes an entry for each time that was dealt with."""

    def tell(schedule: Schedule, run: Run) -> None:
        audit.write(
            Act.SCENE_APPLY,
            schedule.scene_id or "",
            by=schedule.name,
            scope="schedule",
            detail={
                "schedule": schedule.id,
                "came": run.came.value,
                "due_at": run.due_at,
                "rollout": run.rollout_id,
                "reason": run.reason,
                "missing": run.missing,
            },
        )

    return tell
