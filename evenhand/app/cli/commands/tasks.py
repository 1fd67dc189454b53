"""Batches and tasks."""

from evenhand.app.cli.commands.entry import HERE_OR_THERE, JSON, LIMIT, PROJECT, WHERE, Command, opt

STATES = ("fetching", "held", "open", "full", "review", "done", "canceled", "error")
TASKS: tuple[Command, ...] = (
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
        HERE_OR_THERE,
    ),
    Command(
        "batch list",
        "list the batches of a project",
        "nouns:list_batches",
        "evenhand batch list --project Streets",
        (PROJECT, LIMIT, *WHERE, JSON),
        HERE_OR_THERE,
    ),
    *(
        Command(
            f"batch {verb}",
            words,
            f"nouns:{verb}_batch",
            f"evenhand batch {verb} 0197f0c5a1b2c3d4e5f60718",
            (opt("batch", metavar="BATCH", help="id of the batch"), *WHERE, JSON),
            HERE_OR_THERE,
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
            opt(
                "--as-they-were",
                action="store_true",
                help="of an export: what was done stays done, with every answer and review, and whose it was",
            ),
            *WHERE,
            JSON,
        ),
        "An import that broke off is run again with the same command: nothing is doubled. Bad lines are reported with "
        "their numbers and the rest is imported; the exit code is 1 then. A JSONL export goes in as new tasks, their results as "
        "prelabels, or with --as-they-were as what they were; what stays behind is counted. " + HERE_OR_THERE,
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
        HERE_OR_THERE,
    ),
    Command(
        "task show",
        "show a task with its answers and reviews",
        "nouns:show_task",
        "evenhand task show 0197f0c5a1b2c3d4e5f60718",
        (opt("task", metavar="TASK", help="id of the task"), *WHERE, JSON),
        HERE_OR_THERE,
    ),
    Command(
        "task cancel",
        "cancel tasks that nobody has begun",
        "nouns:cancel_tasks",
        "evenhand task cancel 0197f0c5a1b2c3d4e5f60718",
        (opt("task", metavar="TASK", nargs="+", help="ids of tasks"), *WHERE, JSON),
        HERE_OR_THERE,
    ),
)
