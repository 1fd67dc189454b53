"""What an organisation takes away."""

from evenhand.app.cli.commands.entry import HERE_OR_THERE, JSON, PROJECT, WHERE, Command, opt

FORMATS = ("jsonl", "coco", "yolo", "csv")
RESULTS: tuple[Command, ...] = (
    Command(
        "export",
        "get results out",
        "exporting:export",
        "evenhand export --project Streets --format coco -o streets.json",
        (
            PROJECT,
            opt("--format", choices=FORMATS, required=True, help="jsonl is lossless; yolo is a zip file"),
            opt("-o", "--output", metavar="FILE", help="the file to write (default: standard output)"),
            opt(
                "--state",
                choices=("done", "todo", "canceled", "error", "all"),
                default="done",
                help="tasks in this state",
            ),
            opt("--batch", metavar="BATCH", help="id or name of a batch"),
            opt("--force", action="store_true", help="overwrite the file"),
            *WHERE,
        ),
        "What the format could not carry is said on standard error. " + HERE_OR_THERE,
    ),
    Command(
        "archive take",
        "take everything that an organisation has, in one file that explains itself",
        "taking:take",
        "evenhand archive take alder-everything.zip --org 'Alder Labs'",
        (
            opt("file", metavar="FILE", help="the file to write"),
            opt("--force", action="store_true", help="overwrite the file"),
            *WHERE,
        ),
        "A zip file of JSON lines, files and evidence; its README.md says what is what, its manifest.jsonl has the SHA-256 of "
        "each. Stopped in the middle, by whatever, the same command goes on where it was; the file has its name when it is whole. "
        "With a server that runs, evidence is in it. " + HERE_OR_THERE,
    ),
    Command(
        "archive import",
        "put an archive in again: its projects, with tasks, answers, reviews and files",
        "returning:import_archive",
        "evenhand archive import alder-everything.zip --org 'Alder Labs'",
        (
            opt("file", metavar="FILE", help="what `evenhand archive take` wrote, here or on another Evenhand"),
            opt("--check", action="store_true", help="only say whether it is whole, and what would stay behind"),
            *WHERE,
            JSON,
        ),
        "The whole file is checked against its manifest before anything is made. Stopped in the middle, the same command goes "
        "on; nothing is doubled. What an organisation is made of and what is in nobody's hands to repeat (people, keys, contracts, "
        "events) stays behind, and is counted. " + HERE_OR_THERE,
    ),
    Command(
        "evidence",
        "take an organisation's evidence from the transparency log",
        "exporting:evidence",
        "evenhand evidence -o alder.zip",
        (
            opt("-o", "--output", metavar="FILE", help="the file to write (default: standard output)"),
            opt(
                "--saved",
                type=int,
                action="append",
                default=[],
                metavar="SIZE",
                help="size of a checkpoint that you saved between two epochs, to be proved from (may be repeated)",
            ),
            opt("--force", action="store_true", help="overwrite the file"),
            *WHERE,
        ),
        "The server must run: evidence reaches to the end of an epoch, which is ended for you. Check it with `evenhand verify`.",
    ),
)
