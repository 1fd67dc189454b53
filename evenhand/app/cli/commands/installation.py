"""The installation: start it, look at it, save it."""

from evenhand.app.cli.commands.entry import JSON, Command, opt

INSTALLATION: tuple[Command, ...] = (
    Command(
        "up",
        "start everything and serve until Ctrl-C",
        "starting:up",
        "evenhand up --demo",
        (
            opt("--demo", action="store_true", help="make the demo once: two customers, people, projects, pictures"),
            opt("--no-browser", action="store_true", help="do not open a browser"),
        ),
    ),
    Command("status", "what runs and how much waits", "serving:status", "evenhand status", (JSON,)),
    Command(
        "doctor", "what is wrong with this installation, in plain words", "serving:doctor", "evenhand doctor", (JSON,)
    ),
    Command(
        "backup",
        "write database and files into one file and the keys into another, while the server runs or not",
        "serving:backup",
        "evenhand backup monday.evenhand",
        (
            opt("file", metavar="FILE", help="the file to write; an existing one is never overwritten"),
            opt("--keys-file", metavar="FILE", help="where the keys go: FILE.keys unless told"),
            opt("--database-url", metavar="URL", help="administrator's URL, where the database is your own PostgreSQL"),
            JSON,
        ),
    ),
    Command(
        "restore",
        "bring a backup back into an empty home",
        "serving:restore",
        "EVENHAND_HOME=~/restored evenhand restore monday.evenhand --verify",
        (
            opt("file", metavar="FILE", help="a file that `evenhand backup` wrote"),
            opt("--keys-file", metavar="FILE", help="the keys that belong to it: FILE.keys unless told"),
            opt("--verify", action="store_true", help="compare every table and every file with the backup afterwards"),
            JSON,
        ),
    ),
)
