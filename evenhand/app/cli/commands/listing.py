"""The written list of commands, in the order in which `--help` and the reference show them."""

from evenhand.app.cli.commands.access import ACCESS
from evenhand.app.cli.commands.contracts import CONTRACTS
from evenhand.app.cli.commands.entry import Command
from evenhand.app.cli.commands.installation import INSTALLATION
from evenhand.app.cli.commands.people import PEOPLE
from evenhand.app.cli.commands.projects import PROJECTS
from evenhand.app.cli.commands.proof import PROOF
from evenhand.app.cli.commands.results import RESULTS
from evenhand.app.cli.commands.tasks import TASKS

COMMANDS: tuple[Command, ...] = (
    *INSTALLATION,
    *PEOPLE,
    *CONTRACTS,
    *ACCESS,
    *PROJECTS,
    *TASKS,
    *RESULTS,
    *PROOF,
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
    "archive": "everything that an organisation has",
    "log": "the transparency log",
}
