"""`cocoprep stage`."""

from __future__ import annotations

import click

from cocoprep.cli.say import say


@click.command("stage", context_settings={"show_default": True})
@click.argument("source", metavar="SRC")
@click.argument("target", metavar="DST")
@click.option("--threads", type=click.IntRange(1, 64), default=8, help="Files at a time.")
@click.option("--force", is_flag=True, help="Replace what is of another build in DST.")
def command(source: str, target: str, threads: int, force: bool) -> None:
    """Copy a built folder, checked: from a bucket to this machine's disk, back, or from one disk to another.

    SRC is a built folder, DST the folder to be; both may be gs:// paths. A copy that was interrupted goes on where it
    stopped, also in the middle of a file; a copy that is complete is left as it is.
    """
    from cocoprep.cli.progress import ByteProgress
    from cocoprep.shards.stage import stage_folder
    from cocoprep.storage.by_scheme import AnyFiles
    from cocoprep.storage.sizes import format_bytes

    with ByteProgress("copying") as progress:
        try:
            done = stage_folder(
                source, target, AnyFiles(),
                threads=threads, force=force, on_plan=progress.plan, on_bytes=progress.advance,
            )  # fmt: skip
        except KeyboardInterrupt:
            say("stopped. What has come is kept: the same command goes on where it stopped.", err=True)
            raise
    copied = done.files - done.kept_files
    if not copied:
        say(f"{target}: all {done.files} files, {format_bytes(done.bytes)}, are there already; nothing was copied")
        return
    amount, seconds = done.bytes - done.kept_bytes, max(progress.seconds, 1e-3)
    kept = f"; {done.kept_files} were there" if done.kept_files else ""
    say(
        f"{target}: {copied} files copied, {format_bytes(amount)} in {seconds:.1f} s "
        f"({format_bytes(amount / seconds)}/s){kept}"
    )
