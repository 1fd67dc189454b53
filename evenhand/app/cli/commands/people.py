"""Organisations, people and API keys."""

from evenhand.app.cli.commands.entry import HERE_OR_THERE, JSON, MODES, WHERE, Command, opt

ROLES = ("operator", "owner", "manager", "viewer", "annotator", "reviewer")
PEOPLE: tuple[Command, ...] = (
    Command(
        "org create",
        "make an organisation: a live and a test space, each its own wall",
        "people:create_org",
        "evenhand org create 'Alder Labs'",
        (opt("name", metavar="NAME"), JSON),
    ),
    Command("org list", "list organisations", "people:list_orgs", "evenhand org list", (JSON,)),
    Command(
        "org data",
        "show what an organisation keeps, holds and has deleted",
        "leaving:org_data",
        "evenhand org data --org 'Alder Labs'",
        (*WHERE, JSON),
        HERE_OR_THERE,
    ),
    Command(
        "org hold",
        "put an organisation's space under a legal hold: nothing in it is deleted",
        "leaving:hold_org",
        "evenhand org hold --org 'Alder Labs' --reason 'Case 7'",
        (opt("--reason", required=True, metavar="TEXT", help="the case it is for"), *WHERE, JSON),
        HERE_OR_THERE,
    ),
    Command(
        "org release",
        "release an organisation's space from its legal hold",
        "leaving:release_org",
        "evenhand org release --org 'Alder Labs'",
        (*WHERE, JSON),
        HERE_OR_THERE,
    ),
    Command(
        "org watermark",
        "show or set whether pictures carry the name of whoever looks",
        "access:watermark",
        "evenhand org watermark people --org 'Alder Labs'",
        (
            opt(
                "watermark",
                nargs="?",
                choices=("off", "people", "all"),
                metavar="WHOM",
                help="off, people (who is signed in) or all (API keys as well); without it, what is set",
            ),
            *WHERE,
            JSON,
        ),
        "Text, documents and sound can't carry a name; pages lay it over text. " + HERE_OR_THERE,
    ),
    Command(
        "org leave",
        "delete everything that an organisation has, and close its doors",
        "leaving:leave",
        "evenhand org leave --org 'Alder Labs' --yes --receipts alder.receipts",
        (
            opt("--yes", action="store_true", help="do not ask for the organisation's name"),
            opt(
                "--receipts",
                required=True,
                metavar="FILE",
                help="where the receipts go: all that opens the last evidence",
            ),
            *WHERE,
            JSON,
        ),
        "A live space goes with its test space; with --mode test the test space alone. Take `evenhand archive take` first. "
        + HERE_OR_THERE,
    ),
    Command(
        "person invite",
        "invite somebody by a single-use link",
        "people:invite",
        "evenhand person invite kim@example.org --role annotator --org 'Alder Labs'",
        (
            opt("email", metavar="EMAIL"),
            opt("--role", choices=ROLES, required=True, help="what they will be"),
            opt(
                "--org",
                action="append",
                default=[],
                metavar="NAME_OR_ID",
                help="organisation to join, in both modes; may be given again; all, for workers, when left out",
            ),
            JSON,
        ),
    ),
    Command(
        "person reset",
        "make a single-use link to choose a new password",
        "people:reset",
        "evenhand person reset kim@example.org",
        (
            opt("email", metavar="EMAIL"),
            opt("--factors", action="store_true", help="take lost passkeys and a lost authenticator app away as well"),
            JSON,
        ),
    ),
    Command(
        "person sessions",
        "list where somebody is signed in",
        "people:list_sessions",
        "evenhand person sessions kim@example.org",
        (opt("email", metavar="EMAIL"), JSON),
    ),
    Command(
        "person sign-out",
        "end all of somebody's sessions, at once and everywhere",
        "people:sign_out",
        "evenhand person sign-out kim@example.org",
        (opt("email", metavar="EMAIL"), JSON),
        "Their keys and links stay: `evenhand person leave` ends those as well.",
    ),
    Command("person list", "list people", "people:list_people", "evenhand person list", (JSON,)),
    Command(
        "key create",
        "make an API key; it is shown once",
        "people:create_key",
        "evenhand key create --org 'Alder Labs' --mode live --name trainer",
        (
            opt("--org", required=True, metavar="NAME_OR_ID", help="the organisation"),
            opt("--mode", choices=MODES, required=True, help="its live or its test space"),
            opt("--name", default="", help="what the key is for"),
            opt("--scopes", metavar="LIST", help="read, write, manage; separated by commas (default: all)"),
            opt("--expires", metavar="TIME", help="such as 2027-01-31, or 90d for ninety days from now"),
            JSON,
        ),
    ),
    Command(
        "key list",
        "list the API keys of an organisation",
        "people:list_keys",
        "evenhand key list --org 'Alder Labs'",
        (opt("--org", required=True, metavar="NAME_OR_ID", help="the organisation"), JSON),
    ),
    Command(
        "key revoke",
        "end an API key at once",
        "people:revoke_key",
        "evenhand key revoke 0197f0c5a1b2c3d4e5f60718 --org 'Alder Labs'",
        (
            opt("key_id", metavar="KEY_ID", help="the id, or the beginning of the key as the list shows it"),
            opt("--org", required=True, metavar="NAME_OR_ID", help="the organisation"),
            JSON,
        ),
    ),
)
