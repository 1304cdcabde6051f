"""`snellen`: the command line. One file a verb; this one only gathers them and says errors in one sentence."""

from __future__ import annotations

import sys
import traceback

import typer

from snellen.cli import (
    ask,
    build,
    compare,
    correlate,
    demo,
    diagnose,
    draft,
    embed,
    encoders,
    export,
    grade,
    import_,
    match,
    mine,
    power,
    progress,
    report,
    run,
    statements,
    tag,
    validate,
    world,
    zeroshot,
)
from snellen.errors import SnellenError

app = typer.Typer(
    name="snellen",
    help="An eye exam for vision encoders and multimodal LLMs: finds the image pairs that one encoder cannot tell "
    "apart and another plainly can, and examines multimodal LLMs on such pairs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("run")(run.run)
app.command("embed")(embed.embed)
app.command("mine")(mine.mine)
app.command("build")(build.build)
app.command("validate")(validate.validate)
app.command("ask")(ask.ask)
app.command("grade")(grade.grade)
app.command("draft")(draft.draft)
app.command("match")(match.match)
app.command("statements")(statements.statements)
app.command("zeroshot")(zeroshot.zeroshot)
app.command("tag")(tag.tag)
app.command("correlate")(correlate.correlate)
app.command("diagnose")(diagnose.diagnose)
app.command("encoders")(encoders.encoders)
app.command("compare")(compare.compare)
app.command("power")(power.power)
app.command("report")(report.report)
app.command("demo")(demo.demo)
app.add_typer(import_.app, name="import")
app.add_typer(export.app, name="export")
app.add_typer(world.app, name="world")

INTERRUPTED = 130


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(version("snellen"))
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", help="Print the version.", callback=_version, is_eager=True),
    debug: bool = typer.Option(False, "--debug", help="Show tracebacks; may stand anywhere on the line."),
) -> None:
    pass  # `--version` acts by itself; `--debug` has been taken out by `main`


def main() -> None:
    """Run the command line.

    Exit codes: 0 done, 1 failed, 2 wrong usage, 3 answers are missing, 130 interrupted. Without `--debug` no
    error shows a traceback.
    """
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    debug = len(arguments) < len(sys.argv) - 1
    try:
        # Not `app(...)`: that puts typer's own excepthook in place.
        typer.main.get_command(app).main(arguments, prog_name="snellen")
    except SystemExit as ended:
        progress.clear()
        if ended.code == INTERRUPTED:
            sys.stderr.write(f"interrupted: {_kept(arguments)}\n")
        raise
    except Exception as error:  # noqa: BLE001 - the one boundary: whatever went wrong is said in one sentence
        progress.clear()
        if debug:
            traceback.print_exception(error)
        sys.stderr.write(f"error: {_sentence(error)}\n")
        sys.exit(error.exit_code if isinstance(error, SnellenError) else 1)


def _kept(arguments: list[str]) -> str:
    if arguments[:1] == ["mine"] and "--estimate" in arguments:
        return "an estimate keeps nothing; run the same command again to begin afresh."
    return "what is finished is kept; run the same command again to go on."


def _sentence(error: Exception) -> str:
    if isinstance(error, SnellenError):
        return str(error)
    said = str(error).strip().splitlines()
    return (
        f"unexpected {type(error).__name__}: {said[0] if said else 'no message'}; run again with --debug to see where, "
        "and please report it."
    )
