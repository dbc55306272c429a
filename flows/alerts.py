"""What people are told without looking: events of ours, and the automations that carry them on.

Every alert is an event in the dashboard's feed. Where the settings name a webhook or a mail address, automations post
or mail it as well; they are made here, in code, and a person may switch one off on the dashboard.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from prefect import flow
from prefect.blocks.webhook import Webhook
from prefect.client.orchestration import SyncPrefectClient
from prefect.events import emit_event
from prefect.events.actions import CallWebhook, ChangeFlowRunState, DoNothing, RunDeployment
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture

from catalog.config import Config, load_config
from flows.mailing import send_mail
from flows.watch import DISK_LOW, HEARTBEAT_S

TAG = "gleanery"
"""Tag of all deployments whose runs are watched; the mail deployment has none, or a crash of it would mail itself."""
COLLECTED = "gleanery.recipe.collected"
MAIL_DEPLOYMENT = "mail/mail"
_BLOCK = "gleanery-alerts"
_SOONEST = timedelta(seconds=10)
"""The least that Prefect allows for an event that does not come."""
_HEARTBEAT = "prefect.flow-run.heartbeat"
_ENDED = {f"prefect.flow-run.{state}" for state in ("Completed", "Failed", "Crashed", "Cancelled", "waiting_review")}
_RUNS_OF_OURS = {"prefect.resource.id": [f"prefect.tag.{TAG}"], "prefect.resource.role": "tag"}
_RUN_TEXT = "{{ flow_run.name }}: {{ flow_run.state.message }}"
_EVENT_TEXT = "{{ event.payload.detail }}"


def tell_source_failed(source: str, state: str, detail: str) -> None:
    """Put a source whose run does not count into the feed.

    Args:
        source: its name.
        state: rejected, blocked or failed; anything else is told as failed.
        detail: names the source and the reason, no person.
    """
    kind = state if state in ("rejected", "blocked") else "failed"
    resource = {"prefect.resource.id": f"gleanery.source.{source}", "prefect.resource.name": source}
    emit_event(f"gleanery.source.{kind}", resource, payload={"detail": detail})


def tell_recipe_collected(recipe: str) -> None:
    """Say that something new was collected for a recipe: its curation begins."""
    resource = {"prefect.resource.id": f"gleanery.recipe.{recipe}", "prefect.resource.name": recipe}
    emit_event(COLLECTED, resource, payload={"recipe": recipe})


def declare_alerts(client: SyncPrefectClient, config: Config) -> list[str]:
    """Make or renew the automations; one that a person switched off stays off. Returns their names."""
    names = []
    for automation in _automations(client, config):
        # Made anew rather than updated: an update would have to name every default of the library.
        for known in client.read_automations_by_name(automation.name):
            automation.enabled = known.enabled
            client.delete_automation(known.id)
        client.create_automation(automation)
        names.append(automation.name)
    return names


def _automations(client: SyncPrefectClient, config: Config) -> Iterator[AutomationCore]:
    """Give each automation with what it does."""
    for kind, meaning in (
        ("rejected", "a run found too few people"),
        ("blocked", "a site does not want us"),
        ("failed", "a crawl failed"),
    ):
        trigger = EventTrigger(expect={f"gleanery.source.{kind}"}, match=_any("gleanery.source.*"))
        yield _alert(client, config, f"source {kind}", meaning, trigger, _EVENT_TEXT)
    trigger = EventTrigger(expect={DISK_LOW}, match=_any("gleanery.disk.*"))
    yield _alert(client, config, "disk nearly full", "the data root's disk is nearly full", trigger, _EVENT_TEXT)
    for state, meaning in (
        ("Crashed", "a run broke off"),
        ("Failed", "a run failed"),
        ("Late", "no worker takes a run"),
    ):
        trigger = _about_runs(expect={f"prefect.flow-run.{state}"})
        yield _alert(client, config, f"run {state.lower()}", meaning, trigger, _RUN_TEXT)
    stuck = _about_runs(
        after={"prefect.flow-run.Running"}, expect=_ENDED, posture=Posture.Proactive,
        for_each={"prefect.resource.id"}, within=max(_SOONEST, timedelta(hours=config.stuck_after_hours)),
    )  # fmt: skip
    meaning = f"a run goes on for more than {config.stuck_after_hours:g} hours"
    yield _alert(client, config, "run stuck", meaning, stuck, "{{ flow_run.name }} still runs")
    silent = _about_runs(
        after={"prefect.flow-run.Running", _HEARTBEAT}, expect={_HEARTBEAT, *_ENDED},
        posture=Posture.Proactive, for_each={"prefect.resource.id"}, within=timedelta(seconds=10 * HEARTBEAT_S),
    )  # fmt: skip
    crashed = ChangeFlowRunState.model_validate(
        {"state": "CRASHED", "message": "no sign of life; its process is gone"}
    )
    yield AutomationCore(
        name=f"{TAG}: run gone silent",
        description="A run whose process died with its worker is marked as crashed, so that the next may begin.",
        trigger=silent,
        actions=[crashed],
    )


def _any(resource: str) -> dict[str, str | list[str]]:
    return {"prefect.resource.id": resource}


def _about_runs(**settings: Any) -> EventTrigger:
    return EventTrigger.model_validate(
        {"match": _any("prefect.flow-run.*"), "match_related": _RUNS_OF_OURS, **settings}
    )


def _alert(
    client: SyncPrefectClient, config: Config, what: str, meaning: str, trigger: EventTrigger, text: str
) -> AutomationCore:
    """Carry an event on to the webhook and the mail address that the settings name."""
    actions: list[Any] = []
    if config.alert_webhook:
        payload = {"alert": what, "meaning": meaning, "text": "TEXT", "event": "EVENT", "at": "TIME"}
        # The values are put in as JSON texts: a quotation mark in a message must not break the document.
        body = json.dumps(payload).replace('"TEXT"', "{% set text %}" + text + "{% endset %}{{ text | tojson }}")
        body = body.replace('"EVENT"', "{{ event.event | tojson }}").replace("TIME", "{{ event.occurred }}")
        actions.append(CallWebhook(block_document_id=_webhook(config.alert_webhook), payload=body))
    if config.alert_email:
        deployment = client.read_deployment_by_name(MAIL_DEPLOYMENT)
        words = {"subject": f"Gleanery: {what}", "text": _jinja(f"{meaning}\n\n{text}\n\n{{{{ event.occurred }}}}")}
        actions.append(RunDeployment.model_validate({"deployment_id": deployment.id, "parameters": words}))
    return AutomationCore(
        name=f"{TAG}: {what}", description=meaning, trigger=trigger, actions=actions or [DoNothing()]
    )


def _jinja(template: str) -> dict[str, str]:
    return {"__prefect_kind": "jinja", "template": template}


def _webhook(address: str) -> Any:
    block = Webhook.model_validate({"url": address, "headers": {"Content-Type": "application/json"}})
    return block.save(_BLOCK, overwrite=True)


@flow(name="mail")
def mail(subject: str, text: str) -> None:
    """Mail an alert to the address that the settings name.

    Args:
        subject: of the mail.
        text: its body.
    """
    send_mail(load_config(os.environ), subject, text)
