"""What is checked: evidence, the transparency log, the neutrality figures, the scheduler."""

from evenhand.app.cli.commands.entry import JSON, Command, opt

PROOF: tuple[Command, ...] = (
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
            opt("--week", metavar="MONDAY", help="that week with all its days, such as 2026-11-16"),
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
