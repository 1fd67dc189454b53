"""The written list of commands: words, help, options, and the dotted name of what does the work.

Nothing is imported from below `evenhand.app.cli` here, so that `evenhand --help` answers at once.
"""

import argparse
from dataclasses import dataclass
from textwrap import fill
from typing import Any

MODES = ("live", "test")
ROLES = ("operator", "owner", "manager", "viewer", "annotator", "reviewer")
FORMATS = ("jsonl", "coco", "yolo", "csv")
STATES = ("fetching", "held", "open", "full", "review", "done", "canceled", "error")
MEDIA = ("image", "text", "conversation", "none")


@dataclass(frozen=True, slots=True)
class Option:
    """One argument of a command, as argparse takes it."""

    names: tuple[str, ...]
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Command:
    """`work` is "module:function" below evenhand.app.cli; it takes the parsed arguments and gives an exit code."""

    words: str
    help: str
    work: str
    example: str
    options: tuple[Option, ...] = ()
    more: str = ""


def opt(*names: str, **settings: Any) -> Option:
    return Option(names, settings)


JSON = opt("--json", action="store_true", help="print JSON for programs")
LIMIT = opt("--limit", type=int, default=50, metavar="N", help="at most this many, newest first (default 50)")
#: where a command on projects, batches and tasks goes
WHERE = (
    opt("--org", metavar="NAME_OR_ID", help="organisation on this machine (may be left out when there is only one)"),
    opt("--mode", choices=MODES, default="live", help="its live or its test space (default live)"),
    opt("--url", metavar="URL", help="another Evenhand, such as https://label.example.org (or EVENHAND_URL)"),
    opt("--key", metavar="KEY", help="its API key (better: EVENHAND_KEY, which other users can't see)"),
)
PROJECT = opt("--project", required=True, metavar="PROJECT", help="id or name of the project")

_HERE_OR_THERE = (
    "Works on the installation of this machine ($EVENHAND_HOME), whether its server runs or not; "
    "with --url and a key on another one, over HTTP."
)

COMMANDS: tuple[Command, ...] = (
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
        "write database, files and keys into one file, while the server runs or not",
        "serving:backup",
        "evenhand backup monday.evenhand",
        (
            opt("file", metavar="FILE", help="the file to write; an existing one is never overwritten"),
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
            opt("--verify", action="store_true", help="compare every table and every file with the backup afterwards"),
            JSON,
        ),
    ),
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
        _HERE_OR_THERE,
    ),
    Command(
        "org hold",
        "put an organisation's space under a legal hold: nothing in it is deleted",
        "leaving:hold_org",
        "evenhand org hold --org 'Alder Labs' --reason 'Case 7'",
        (opt("--reason", required=True, metavar="TEXT", help="the case it is for"), *WHERE, JSON),
        _HERE_OR_THERE,
    ),
    Command(
        "org release",
        "release an organisation's space from its legal hold",
        "leaving:release_org",
        "evenhand org release --org 'Alder Labs'",
        (*WHERE, JSON),
        _HERE_OR_THERE,
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
        "A live space goes with its test space; with --mode test the test space alone. Take `evenhand archive` first. "
        + _HERE_OR_THERE,
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
    Command(
        "rate-card show",
        "show the price classes that are open to all",
        "contracts:show_card",
        "evenhand rate-card show",
        (JSON,),
    ),
    Command(
        "rate-card publish",
        "publish a rate card for all",
        "contracts:publish_card",
        "evenhand rate-card publish card.json",
        (
            opt("file", metavar="FILE", help="JSON: classes (name, weight, hour_cents), standard, from_at, currency"),
            JSON,
        ),
        "It counts a day later at the earliest, and not before every customer's log has the event. Weights are whole numbers "
        "with a small common multiple; classes may be added, and none taken away.",
    ),
    Command(
        "contract show",
        "show the contract of an organisation",
        "contracts:show_contract",
        "evenhand contract show --org 'Alder Labs'",
        (opt("--org", required=True, metavar="NAME_OR_ID", help="the organisation"), JSON),
    ),
    Command(
        "contract list",
        "list which contract every organisation has",
        "contracts:list_contracts",
        "evenhand contract list",
        (JSON,),
    ),
    Command(
        "contract set",
        "agree on a further version of a contract",
        "contracts:set_contract",
        "evenhand contract set --org 'Alder Labs' --class double --capacity 400",
        (
            opt("--org", required=True, metavar="NAME_OR_ID", help="the organisation"),
            opt("--class", dest="price_class", required=True, metavar="CLASS", help="a class of the rate card"),
            opt("--capacity", type=int, metavar="HOURS", help="worker-hours a week that are agreed"),
            opt("--support", metavar="TEXT", help="support terms"),
            opt("--from", dest="begin", metavar="TIME", help="such as 2027-01-01 (default now)"),
            opt("--until", metavar="TIME", help="when it ends (default: further notice)"),
            JSON,
        ),
        "An organisation without one has the card's standard class. Every version is an event in its log.",
    ),
    Command(
        "contract affiliate",
        "mark a customer who owns a stake, for reports",
        "contracts:mark",
        "evenhand contract affiliate --org 'Alder Labs'",
        (
            opt("--org", required=True, metavar="NAME_OR_ID", help="the organisation"),
            opt("--end", action="store_true", help="take the mark away"),
            JSON,
        ),
        "Nothing that hands out work can read the mark.",
    ),
    Command(
        "wall list",
        "list whom your workers are kept off",
        "access:list_walls",
        "evenhand wall list",
        (*WHERE, JSON),
        _HERE_OR_THERE,
    ),
    Command(
        "wall set",
        "keep whoever has worked for you off a rival, and the other way round",
        "access:set_wall",
        "evenhand wall set 'Rowan Systems' --days 90",
        (
            opt("name", metavar="NAME", help="the rival's name, or that of a group of the operator's"),
            opt("--days", type=int, required=True, metavar="N", help="how long, from the last work they saw"),
            opt("--group", action="store_true", help="NAME is a group"),
            *WHERE,
            JSON,
        ),
        "Whether the name is a customer here is not told. " + _HERE_OR_THERE,
    ),
    Command(
        "wall end",
        "take a wall down",
        "access:end_wall",
        "evenhand wall end 0197f0c5a1b2c3d4e5f60718",
        (opt("wall", metavar="WALL", help="id, as `evenhand wall list` shows it"), *WHERE, JSON),
        _HERE_OR_THERE,
    ),
    Command(
        "wall kept-off",
        "list who is kept off which customer until when, for the operator",
        "access:kept_off",
        "evenhand wall kept-off",
        (JSON,),
    ),
    Command(
        "wall bar",
        "keep a person off a customer in whom they have an interest",
        "access:bar",
        "evenhand wall bar kim@example.org --org 'Alder Labs' --until 365d",
        (
            opt("email", metavar="EMAIL"),
            opt("--org", required=True, metavar="NAME_OR_ID", help="the organisation"),
            opt("--until", metavar="TIME", help="such as 2028-01-31 or 365d (default: for good)"),
            JSON,
        ),
    ),
    Command(
        "wall group",
        "put an organisation into a group of competitors",
        "access:change_group",
        "evenhand wall group telecoms --org 'Alder Labs'",
        (
            opt("group", metavar="GROUP"),
            opt("--org", required=True, metavar="NAME_OR_ID", help="the organisation"),
            opt("--end", action="store_true", help="take it out"),
            JSON,
        ),
    ),
    Command(
        "grant list",
        "list the operator's people and what they may read",
        "access:list_grants",
        "evenhand grant list",
        (*WHERE, JSON),
        _HERE_OR_THERE,
    ),
    Command(
        "grant give",
        "let somebody of the operator's people read, for minutes",
        "access:give_grant",
        "evenhand grant give 'Robin Lane' --minutes 60 --project Streets",
        (
            opt("staff", metavar="NAME", help="as `evenhand grant list` shows it"),
            opt("--minutes", type=int, required=True, metavar="N", help="it ends by itself; at most 4320"),
            opt("--project", metavar="PROJECT", help="id or name (default: everything in this space)"),
            opt("--reason", default="", metavar="TEXT", help="kept in your log"),
            *WHERE,
            JSON,
        ),
        "Read only. Each look is an event in your log. " + _HERE_OR_THERE,
    ),
    Command(
        "grant end",
        "end a grant, or broken glass, at once",
        "access:end_grant",
        "evenhand grant end 0197f0c5a1b2c3d4e5f60718",
        (opt("grant", metavar="GRANT", help="id, as `evenhand grant list` shows it"), *WHERE, JSON),
        _HERE_OR_THERE,
    ),
    Command(
        "break-glass list",
        "list break-glass that waits for a second person",
        "access:list_glass",
        "evenhand break-glass list",
        (JSON,),
        "It takes two who are signed in, so it is asked for and confirmed on the page /operator.",
    ),
    Command(
        "person leave",
        "end everything that somebody can do, at once",
        "access:leave",
        "evenhand person leave kim@example.org",
        (opt("email", metavar="EMAIL"), JSON),
        "Sessions, leases (drafts are kept), keys and grants end. Each customer gets a report of what they saw; walls hold.",
    ),
    Command(
        "person report",
        "show what one person has seen of an organisation's",
        "access:report",
        "evenhand person report 9f3a11c077ab20e4d5c6b7a8",
        (opt("person", metavar="PERSON", help="id, as `evenhand person leavers` shows it"), *WHERE, JSON),
        _HERE_OR_THERE,
    ),
    Command(
        "person leavers",
        "list who left and how much they had seen",
        "access:list_leavers",
        "evenhand person leavers",
        (*WHERE, JSON),
        _HERE_OR_THERE,
    ),
    Command(
        "person director",
        "let somebody see the figures of all customers together, and nothing else",
        "access:director",
        "evenhand person director board@example.org",
        (opt("email", metavar="EMAIL"), opt("--end", action="store_true", help="no longer"), JSON),
    ),
    Command(
        "project create",
        "make a project",
        "nouns:create_project",
        "evenhand project create Streets --medium image --ontology streets.json --instructions streets.md",
        (
            opt("name", metavar="NAME"),
            opt("--medium", choices=MEDIA, required=True, help="what its tasks show"),
            opt("--ontology", metavar="FILE", help="JSON file with classes, attributes and fields"),
            opt("--instructions", metavar="FILE", help="Markdown file that annotators read"),
            opt("--overlap", type=int, default=1, metavar="N", help="how many people label each task (default 1)"),
            opt("--review", choices=("none", "all", "sample"), default="none", help="which tasks are reviewed"),
            opt("--review-rate", type=float, default=0.0, metavar="SHARE", help="share of tasks, with --review sample"),
            opt(
                "--lease",
                type=int,
                default=1200,
                metavar="SECONDS",
                help="how long a task is somebody's (default 1200)",
            ),
            opt("--pilot", action="store_true", help="begin with a pilot of ten tasks"),
            *WHERE,
            JSON,
        ),
        _HERE_OR_THERE,
    ),
    Command(
        "project list",
        "list projects",
        "nouns:list_projects",
        "evenhand project list",
        (opt("--archived", action="store_true", help="archived ones too"), LIMIT, *WHERE, JSON),
        _HERE_OR_THERE,
    ),
    Command(
        "project show",
        "show a project and how far it is",
        "nouns:show_project",
        "evenhand project show Streets",
        (opt("project", metavar="PROJECT", help="id or name"), *WHERE, JSON),
        _HERE_OR_THERE,
    ),
    Command(
        "keys show",
        "show the encryption keys of a space, and who opened them",
        "keys:show_keys",
        "evenhand keys show --org 'Alder Labs'",
        (*WHERE, JSON),
        _HERE_OR_THERE,
    ),
    Command(
        "keys check",
        "wrap and open a random key by the key service",
        "keys:check",
        "evenhand keys check --org 'Alder Labs'",
        (*WHERE, JSON),
        _HERE_OR_THERE,
    ),
    Command(
        "keys use",
        "choose the key service of a space: this installation's, AWS KMS or Vault",
        "keys:use",
        "VAULT_TOKEN=hvs.x evenhand keys use vault --key-id alder --address https://vault.alder.example",
        (
            opt("service", choices=("local", "aws", "vault"), help="where your key lies"),
            opt("--key-id", metavar="NAME", help="the key there: its ARN, its id or its name"),
            opt("--address", metavar="URL", help="of Vault, or of a private endpoint of AWS"),
            opt("--region", metavar="REGION", help="of AWS, such as eu-central-1"),
            opt("--mount", metavar="PATH", help="of Vault's Transit engine (default transit)"),
            opt("--namespace", metavar="NAME", help="of Vault Enterprise"),
            opt("--authority", metavar="FILE", help="certificate authority of a private endpoint, in PEM"),
            *WHERE,
            JSON,
        ),
        "It is tried before it counts, and the organisation's keys are wrapped anew. Secrets come from VAULT_TOKEN, or from "
        "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN. The live and the test space choose apart. "
        + _HERE_OR_THERE,
    ),
    Command(
        "keys rotate",
        "make a new version of a key; what was sealed before stays readable",
        "keys:rotate",
        "evenhand keys rotate organisation",
        (
            opt("level", choices=("customer", "organisation", "project"), help="whose key"),
            opt("--project", metavar="PROJECT", help="id or name, for the level project"),
            *WHERE,
            JSON,
        ),
        _HERE_OR_THERE,
    ),
    Command(
        "project data",
        "show what a project keeps, and what of it was deleted",
        "leaving:project_data",
        "evenhand project data Streets",
        (opt("project", metavar="PROJECT", help="id or name"), *WHERE, JSON),
        _HERE_OR_THERE,
    ),
    Command(
        "project retention",
        "set how long a project's tasks, answers and files are kept",
        "leaving:retention",
        "evenhand project retention Streets --done-days 90 --ended-days 30",
        (
            opt("project", metavar="PROJECT", help="id or name"),
            opt("--done-days", type=int, metavar="DAYS", help="days after a task has come to its end"),
            opt("--ended-days", type=int, metavar="DAYS", help="days after the project was archived"),
            *WHERE,
            JSON,
        ),
        "Without days there is no rule, and everything is kept. The server looks every hour; what goes has a certificate. "
        + _HERE_OR_THERE,
    ),
    Command(
        "project hold",
        "put a project under a legal hold: nothing of it is deleted",
        "leaving:hold_project",
        "evenhand project hold Streets --reason 'Case 7'",
        (
            opt("project", metavar="PROJECT", help="id or name"),
            opt("--reason", required=True, metavar="TEXT", help="the case it is for"),
            *WHERE,
            JSON,
        ),
        _HERE_OR_THERE,
    ),
    Command(
        "project release",
        "release a project from its legal hold",
        "leaving:release_project",
        "evenhand project release Streets",
        (opt("project", metavar="PROJECT", help="id or name"), *WHERE, JSON),
        _HERE_OR_THERE,
    ),
    Command(
        "project delete",
        "delete a project with everything in it, for good, and get a certificate",
        "leaving:delete_project",
        "evenhand project delete Streets --yes --certificate streets.deleted",
        (
            opt("project", metavar="PROJECT", help="id or name"),
            opt("--yes", action="store_true", help="do not ask for the project's name"),
            opt("--certificate", metavar="FILE", help="wait until it is done, and write the certificate"),
            *WHERE,
            JSON,
        ),
        "Tasks, answers, files and the project's keys go, in a job of the server. A legal hold refuses it. "
        + _HERE_OR_THERE,
    ),
    Command(
        "batch create",
        "make a batch in a project",
        "nouns:create_batch",
        "evenhand batch create October --project Streets",
        (
            opt("name", metavar="NAME"),
            PROJECT,
            opt("--staging", action="store_true", help="hold its tasks back until `evenhand batch finalize`"),
            opt("--priority", type=int, default=0, metavar="N", help="higher goes first, within this project"),
            opt("--callback", default="", metavar="URL", help="told when the batch is complete"),
            *WHERE,
            JSON,
        ),
        _HERE_OR_THERE,
    ),
    Command(
        "batch list",
        "list the batches of a project",
        "nouns:list_batches",
        "evenhand batch list --project Streets",
        (PROJECT, LIMIT, *WHERE, JSON),
        _HERE_OR_THERE,
    ),
    *(
        Command(
            f"batch {verb}",
            words,
            f"nouns:{verb}_batch",
            f"evenhand batch {verb} 0197f0c5a1b2c3d4e5f60718",
            (opt("batch", metavar="BATCH", help="id of the batch"), *WHERE, JSON),
            _HERE_OR_THERE,
        )
        for verb, words in (
            ("show", "show a batch and how far it is"),
            ("finalize", "send a staged batch to the annotators"),
            ("pause", "hand out no further tasks of a batch"),
            ("resume", "go on with a paused batch"),
            ("cancel", "cancel what nobody has begun"),
        )
    ),
    Command(
        "task import",
        "import tasks from JSONL, CSV or a folder of files",
        "importing:import_tasks",
        "evenhand task import pictures/ --project Streets",
        (
            opt("source", metavar="FILE_OR_FOLDER", help=".jsonl, .csv, or a folder of pictures or .txt files"),
            PROJECT,
            opt("--batch", metavar="BATCH", help="id or name of a batch of the project"),
            opt("--as", dest="kind", choices=("jsonl", "csv", "folder"), help="when the name does not tell"),
            opt("--import-key", metavar="TEXT", help="what makes two imports the same one (default: the content)"),
            opt(
                "--leave-out",
                default="",
                metavar="PARTS",
                help="of an export: result, unique_id, tags, priority, metadata, ontology, with commas between",
            ),
            *WHERE,
            JSON,
        ),
        "An import that broke off is run again with the same command: nothing is doubled. Bad lines are reported with "
        "their numbers and the rest is imported; the exit code is 1 then. A JSONL export goes in as new tasks, their results as "
        "prelabels; what stays behind is counted. " + _HERE_OR_THERE,
    ),
    Command(
        "task list",
        "list tasks",
        "nouns:list_tasks",
        "evenhand task list --project Streets --state error",
        (
            opt("--project", metavar="PROJECT", help="id or name"),
            opt("--batch", metavar="BATCH", help="id of a batch"),
            opt("--state", choices=STATES, help="tasks in this state only"),
            opt("--search", metavar="TEXT", help="words of the name"),
            LIMIT,
            *WHERE,
            JSON,
        ),
        _HERE_OR_THERE,
    ),
    Command(
        "task show",
        "show a task with its answers and reviews",
        "nouns:show_task",
        "evenhand task show 0197f0c5a1b2c3d4e5f60718",
        (opt("task", metavar="TASK", help="id of the task"), *WHERE, JSON),
        _HERE_OR_THERE,
    ),
    Command(
        "task cancel",
        "cancel tasks that nobody has begun",
        "nouns:cancel_tasks",
        "evenhand task cancel 0197f0c5a1b2c3d4e5f60718",
        (opt("task", metavar="TASK", nargs="+", help="ids of tasks"), *WHERE, JSON),
        _HERE_OR_THERE,
    ),
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
        "What the format could not carry is said on standard error. " + _HERE_OR_THERE,
    ),
    Command(
        "archive",
        "take everything that an organisation has, in one file that explains itself",
        "leaving:archive",
        "evenhand archive --org 'Alder Labs' -o alder-everything.zip",
        (
            opt("-o", "--output", metavar="FILE", help="the file to write (default: standard output)"),
            opt("--force", action="store_true", help="overwrite the file"),
            *WHERE,
        ),
        "A zip file of JSON lines, files and evidence; its README.md says what is what, its manifest.jsonl has the SHA-256 of "
        "each. Stopped in the middle it leaves no file. With a server that runs, evidence is in it. " + _HERE_OR_THERE,
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
    Command(
        "verify",
        "check a bundle of evidence from the transparency log, offline",
        "verifying:verify",
        "evenhand verify alder.zip --policy policy.txt --key log.pub --since saved-checkpoint",
        (
            opt("bundle", metavar="BUNDLE", help="the bundle, as it was downloaded"),
            opt("--policy", required=True, metavar="FILE", help="whose word is enough: log, witnesses and quorum"),
            opt("--key", required=True, metavar="PUB", help="the log's key (name+id+base64), or a file that holds it"),
            opt("--since", metavar="FILE", help="a checkpoint that you saved earlier"),
            opt("--against", metavar="BUNDLE", help="a second bundle: an earlier one of yours, or another customer's"),
            opt(
                "--late",
                type=int,
                default=3600,
                metavar="SECONDS",
                help="an event later than this counts as back-dated",
            ),
            JSON,
        ),
        "Needs no home, server or network. What was not given is told as not checked, never as ok. "
        "Exit codes: 0 nothing that was checked is wrong, 1 something is wrong, 2 something asked for could not be checked.",
    ),
    Command(
        "verifier",
        "write the same check as one readable program, to keep or to hand out",
        "verifying:verifier",
        "evenhand verifier -o verify.py",
        (opt("-o", "--output", metavar="FILE", help="the file to write (default: standard output)"),),
        "It needs Python, the package cryptography, and nothing of Evenhand.",
    ),
    Command(
        "witness",
        "watch a log and cosign it, so that nobody can be shown another history",
        "witnessing:witness",
        "evenhand witness --log https://label.example.org/log",
        (
            opt(
                "--folder",
                default="evenhand-witness",
                metavar="FOLDER",
                help="its key and what it has seen; made at the first start (default: evenhand-witness)",
            ),
            opt("--name", metavar="NAME", help="what a new witness is called (default: after its key)"),
            opt("--log", metavar="URL", help="a log to look at, from now on"),
            opt("--key", metavar="PUB", help="its key (name+id+base64), or a file (default: what it says itself)"),
            opt("--listen", metavar="HOST:PORT", help="let logs ask as well (c2sp.org/tlog-witness)"),
            opt("--every", type=float, default=5.0, metavar="SECONDS", help="how often to look (default 5)"),
            opt("--once", action="store_true", help="look once, and end with 1 where something is wrong"),
        ),
        "Needs no home and no database. Its first line is its key, for policies. The same folder again goes on where it was; "
        "a copy of the folder is another witness with the same key, which must not be.",
    ),
    Command(
        "log policy",
        "show or set whose cosignatures the log asks for",
        "policies:policy",
        "evenhand log policy --set policy.txt",
        (
            opt("--set", dest="file", metavar="FILE", help="a file as c2sp.org/tlog-policy describes it"),
            JSON,
        ),
        "What the log publishes is a proposal: whoever checks evidence chooses a policy of their own.",
    ),
    Command(
        "log witness",
        "have the log ask one more witness",
        "policies:witness",
        "evenhand log witness hospital witness.example+9b8c7d6e+BA... https://witness.example",
        (
            opt("name", metavar="NAME", help="what it is called in the policy"),
            opt("key", metavar="KEY", nargs="?", help="its key, the first line of `evenhand witness`"),
            opt(
                "url", metavar="URL", nargs="?", help="where it is asked; left out for one that looks at the log itself"
            ),
            opt("--remove", action="store_true", help="ask it no longer"),
            JSON,
        ),
        "The quorum becomes more than half of the witnesses; set another one with `evenhand log policy --set`.",
    ),
    Command(
        "neutrality",
        "make every published neutrality figure again from the published rows",
        "neutrality:check",
        "evenhand neutrality --from https://label.example.org",
        (
            opt("--from", dest="source", required=True, metavar="FILE|URL", help="a saved copy, or a server's address"),
            JSON,
        ),
        "Needs no home and no account. Exit codes: 0 every number follows from the rows beside it, 1 one does not.",
    ),
    Command(
        "trace",
        "write every decision of the scheduler with all that it saw, sealed to an auditor's key",
        "tracing:trace",
        "evenhand trace --auditor-key auditor.pub -o trace.sealed",
        (
            opt("--auditor-key", required=True, metavar="FILE", help="the auditor's X25519 public key, PEM"),
            opt("-o", "--output", required=True, metavar="FILE", help="the file to write"),
            JSON,
        ),
        "It names the customers behind the scheduler's indices, so nobody but the holder of the private key can read it.",
    ),
    Command(
        "audit",
        "open such a trace and replay every decision in it",
        "tracing:audit",
        "evenhand audit trace.sealed --key auditor.pem",
        (
            opt("file", metavar="FILE", help="the sealed trace"),
            opt("--key", required=True, metavar="FILE", help="the auditor's X25519 private key, PEM"),
            JSON,
        ),
        "Needs no home, server or network. Exit codes: 0 every decision follows from what it saw, 1 one does not.",
    ),
)

GROUPS = {
    "org": "organisations: the customers",
    "person": "people and their single-use links",
    "key": "API keys",
    "keys": "encryption keys of a customer",
    "rate-card": "the price classes that are open to all",
    "contract": "what is agreed with customers",
    "wall": "who is kept off whom",
    "grant": "access that a customer gives to the operator's people",
    "break-glass": "access without a grant, by two people",
    "project": "projects",
    "batch": "batches of tasks",
    "task": "tasks",
    "log": "the transparency log",
}


class _Formatter(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=30, width=100)


def _filled(command: Command) -> str:
    """The command's description, in lines of at most 98 characters."""
    return fill(f"{command.help[0].upper()}{command.help[1:]}. {command.more}".rstrip(), 98)


def parser() -> argparse.ArgumentParser:
    """The whole parser. A parsed command has `command`, the Command."""
    top = argparse.ArgumentParser(
        "evenhand",
        description="Evenhand: data labelling that favours no customer.",
        epilog="Example:\n  evenhand up --demo\n\n"
        "The home is $EVENHAND_HOME (~/.evenhand), the port $EVENHAND_PORT (8080).",
        formatter_class=_Formatter,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="store_true", help="print the version")
    kinds: Any = top.add_subparsers(title="commands", metavar="COMMAND", dest="noun")
    groups: dict[str, Any] = {}
    for command in COMMANDS:
        noun, _, verb = command.words.partition(" ")
        place = kinds
        if verb:
            if noun not in groups:
                group = kinds.add_parser(
                    noun, help=GROUPS[noun], description=f"{GROUPS[noun].capitalize()}.", formatter_class=_Formatter,
                    epilog=f"Example:\n  {command.example}", allow_abbrev=False,
                )  # fmt: skip
                groups[noun] = group.add_subparsers(title="commands", metavar="COMMAND", dest="verb", required=True)
            place = groups[noun]
        added = place.add_parser(
            verb or noun,
            help=command.help,
            description=_filled(command),
            epilog=f"Example:\n  {command.example}",
            formatter_class=_Formatter,
            allow_abbrev=False,
        )
        for option in command.options:
            added.add_argument(*option.names, **option.settings)
        added.set_defaults(command=command)
    return top
