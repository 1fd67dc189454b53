"""The rate card, and what is agreed with customers."""

from evenhand.app.cli.commands.entry import JSON, Command, opt

CONTRACTS: tuple[Command, ...] = (
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
)
