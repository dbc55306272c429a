"""Commands that run things: demo, up, down, status, doctor, sampleweb."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.cli import options
from flows.cli.options import AsJson, Root


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (demo, up, down, status, doctor):
        app.command()(command)
    web = typer.Typer(help="A small fake web with planted truth.", no_args_is_help=True)
    web.command("serve")(sampleweb_serve)
    app.add_typer(web, name="sampleweb")


def demo(
    root: Root = None,
    scale: Annotated[float, typer.Option(min=0.05, max=1.0, help="Size of the sample web.")] = 1.0,
    reviewer: Annotated[str, typer.Option(help="truth answers the review; none leaves it to you.")] = "truth",
    stop: Annotated[bool, typer.Option(help="Stop the services at the end.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run the whole road on the sample web: crawl, curate, review, release, train, dashboard."""
    from flows.demo import run_demo

    outcome = run_demo(options.config_for(root), scale=scale, reviewer=reviewer, is_quiet=as_json, is_stopped=stop)
    if as_json:
        options.print_json(outcome.to_json())
    else:
        outcome.print()
    raise typer.Exit(0 if outcome.is_green else 1)


def up(
    root: Root = None,
    detach: Annotated[bool, typer.Option("--detach", help="Give the terminal back once all is ready.")] = False,
) -> None:
    """Start the Prefect server, a worker for each work pool, and the web app."""
    from flows.services import Addresses, run_services, start_detached

    config = options.config_for(root)
    addresses = Addresses.of(config)
    typer.echo(f"dashboard {addresses.dashboard}\nreview    {addresses.review}\nresults   {addresses.web}")
    if detach:
        start_detached(config)
        typer.echo("everything is up; `gleanery down` stops it")
    else:
        run_services(config)


def down(root: Root = None) -> None:
    """Stop what `gleanery up` started."""
    from flows.services import stop_services

    typer.echo("stopped" if stop_services(options.config_for(root)) else "nothing was running")


def status(root: Root = None, as_json: AsJson = False) -> None:
    """Say what runs, and where."""
    from flows.services import Addresses, load_state
    from flows.supervisor import is_alive

    config = options.config_for(root)
    state = load_state(config)
    addresses = Addresses.of(config)
    services = {name: is_alive(pid) for name, pid in (state or {}).get("services", {}).items()}
    if as_json:
        facts = {"is_up": state is not None, "services": services, "dashboard": addresses.dashboard}
        options.print_json({**facts, "review": addresses.review, "web": addresses.web})
    elif state is None:
        typer.echo("nothing runs; `gleanery up` starts it")
    else:
        options.print_facts("Services", {name: "runs" if alive else "is down" for name, alive in services.items()})
        typer.echo(f"dashboard {addresses.dashboard}\nreview    {addresses.review}\nresults   {addresses.web}")
    raise typer.Exit(0 if state is not None and all(services.values()) else 1)


def doctor(root: Root = None, as_json: AsJson = False) -> None:
    """Check browser, ports, disk, GPU and versions, and say how to mend what is amiss."""
    from flows.doctor import diagnose

    checks = diagnose(options.config_for(root))
    if as_json:
        options.print_json([check.to_json() for check in checks])
    else:
        rows = [[check.name, check.state, check.found, check.remedy] for check in checks]
        options.print_table("Doctor", ["check", "state", "found", "what to do"], rows)
    raise typer.Exit(1 if any(check.state == "broken" for check in checks) else 0)


def sampleweb_serve(
    port: Annotated[int | None, typer.Option(help="Port (default: the setting sampleweb_port).")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the world.")] = 7,
    scale: Annotated[float, typer.Option(min=0.05, max=1.0, help="Size of the world.")] = 1.0,
    log: Annotated[Path | None, typer.Option(help="File for the request log.")] = None,
    truth: Annotated[Path | None, typer.Option(help="Folder for the truth table and the source declarations.")] = None,
) -> None:
    """Serve the fake web on loopback until Ctrl-C."""
    from sampleweb.server import serve
    from sampleweb.sources import write_sources
    from sampleweb.truth import write_truth
    from sampleweb.world import build_world

    chosen = port or options.config_for(None).sampleweb_port
    world = build_world(seed=seed, scale=scale)
    if truth is not None:
        write_truth(world, truth, chosen)
        write_sources(world, truth / "sources", chosen)
    for site in world.sites:
        typer.echo(f"http://{site.host}:{chosen}{site.start}  {site.name}", err=True)
    serve(world, port=chosen, log_path=log)
