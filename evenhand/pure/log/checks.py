"""The checks of a bundle, but for the walk over its events."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from evenhand.pure.log.bundle import Bundle, Epoch
from evenhand.pure.log.checkpoints import Checkpoint
from evenhand.pure.log.compare import compare
from evenhand.pure.log.decisions import check_decisions
from evenhand.pure.log.leaves import slot_entry
from evenhand.pure.log.notes import VerifierKey
from evenhand.pure.log.policy import Policy
from evenhand.pure.log.proofs import leaf_hash, verify_consistency, verify_inclusion
from evenhand.pure.log.report import Report
from evenhand.pure.log.walk import Walk
from evenhand.pure.log.wrong import Unreadable, Wrong

TOO_LATE_S = 3600  #: an event later than this is taken for back-dated, unless --late says otherwise
WITNESS_S = 60  #: how far a witness's time may lie from the time that the log gives an epoch

CHECKS = (
    "signature", "witnesses", "since", "consistency", "epochs", "inclusion", "completeness", "earlier", "order",
    "times", "decisions", "deletions", "against",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be checked, and against what."""

    key: VerifierKey
    policy: Policy
    since: Checkpoint | None = None
    against: Bundle | None = None
    late_s: int = TOO_LATE_S


def verify(bundle: Bundle, question: Question) -> Report:
    """Makes every check that can be made. Raises Unreadable where what was given has no known form."""
    listed = question.policy.logs
    if listed and question.key not in listed:
        raise Unreadable(f"the policy does not list the key of {question.key.name!r}")
    report = Report()
    for name in CHECKS:
        report.check(name)
    _signature(bundle, question, report)
    _witnesses(bundle, question, report)
    _since(bundle, question, report)
    _consistency(bundle, question, report)
    _epochs(bundle, report)
    _times(bundle, question, report)
    Walk(bundle, report, question.key, question.late_s * 1_000_000).go()
    _decisions(bundle, report)
    if question.against is None:
        report.check("against").skip("no second bundle was given")
    else:
        alone = verify(question.against, Question(question.key, question.policy, late_s=question.late_s))
        compare(bundle, question.against, alone, report.check("against"))
    return report


def _signature(bundle: Bundle, question: Question, report: Report) -> None:
    check, head = report.check("signature"), bundle.checkpoint
    try:
        head.signed_by(question.key)
    except Wrong as err:
        check.fault("unsigned", str(err), size=head.size)
    check.done(f"{head.origin!r} signed its tree of {head.size} leaves")


def _cosigned(checkpoint: Checkpoint, policy: Policy, fault: Callable[[str, str], None]) -> dict[bytes, int]:
    """When each witness of the policy cosigned it, s. A cosignature that is not good is told to `fault`."""
    out: dict[bytes, int] = {}
    for name, key in policy.witnesses.items():
        try:
            time_s = checkpoint.cosigned_at(key)
        except Wrong as err:
            fault(key.name, str(err))
            continue
        if time_s is not None:
            out[name] = time_s
    return out


def _witnesses(bundle: Bundle, question: Question, report: Report) -> None:
    check, policy, head = report.check("witnesses"), question.policy, bundle.checkpoint
    if policy.quorum is None:
        check.skip("the policy asks for no witness, so a fork shown to you alone would not be seen")
        return
    found = _cosigned(head, policy, lambda who, what: check.fault("unsigned", what, witness=who))
    if not policy.met(policy.quorum, set(found)):
        missing = ", ".join(key.name for name, key in policy.witnesses.items() if name not in found)
        what = f"too few witnesses have cosigned this tree; it may have been shown to you alone (without: {missing})"
        check.fault("forked", what, size=head.size)
    check.done(f"{len(found)} of {len(policy.witnesses)} witnesses cosigned it")


def _since(bundle: Bundle, question: Question, report: Report) -> None:
    check, head, saved = report.check("since"), bundle.checkpoint, question.since
    if saved is None:
        check.skip("no saved checkpoint was given, so a history that was rolled back or rewritten would not be seen")
        return
    try:
        saved.signed_by(question.key)
    except Wrong as err:
        raise Unreadable(f"the saved checkpoint can't be used: {err}") from err
    sizes = {"from_size": saved.size, "to_size": head.size}
    if saved.size > head.size:
        check.fault("rolled back", "the log is shorter than it was when the checkpoint was saved", **sizes)
    elif saved.size == head.size or any(epoch.size == saved.size for epoch in bundle.epochs):
        roots = [head.root] if saved.size == head.size else []
        roots += [epoch.checkpoint.root for epoch in bundle.epochs if epoch.size == saved.size]
        if any(root != saved.root for root in roots):
            what = "the log has signed two different trees of this size, and you hold both"
            check.fault("forked", what, size=saved.size)
    elif saved.size:
        proof = bundle.consistency_from(saved.size)
        if proof is None:
            check.skip(
                f"the bundle has no proof from the saved size {saved.size}; ask for a bundle made since that checkpoint. "
                "Where none can be had, the history was rewritten",
                asked=True,
            )
            return
        try:
            verify_consistency(saved.size, head.size, proof, saved.root, head.root)
        except Wrong as err:
            check.fault("rewritten", f"the saved tree is not the beginning of this one: {err}", **sizes)
    check.done(f"it goes on from the saved tree of {saved.size} leaves")


def _consistency(bundle: Bundle, question: Question, report: Report) -> None:
    check, head = report.check("consistency"), bundle.checkpoint
    for epoch in bundle.epochs:
        point = epoch.checkpoint
        where = {"epoch": epoch.number, "size": epoch.size}
        try:
            point.signed_by(question.key)
            if point.size != epoch.size:
                raise Wrong(f"its checkpoint is of size {point.size}")
        except Wrong as err:
            check.fault("unsigned", str(err), **where)
            continue
        try:
            verify_consistency(point.size, head.size, epoch.consistency, point.root, head.root)
        except Wrong as err:
            name = "rolled back" if point.size > head.size else "forked" if point.size == head.size else "rewritten"
            check.fault(name, f"its tree is not the beginning of the newest: {err}", **where)
    check.done(f"{len(bundle.epochs)} signed trees, each the beginning of the next")


def _epochs(bundle: Bundle, report: Report) -> None:
    check = report.check("epochs")
    before: Epoch | None = None
    for epoch in bundle.epochs:
        where = {"epoch": epoch.number, "size": epoch.size}
        if not epoch.previous < epoch.size:
            check.fault("altered", f"it begins at {epoch.previous} and ends at {epoch.size}", **where)
        if before is not None:
            if (epoch.number, epoch.previous) != (before.number + 1, before.size):
                what = f"it follows size {epoch.previous}, not epoch {before.number} of size {before.size}"
                check.fault("dropped", what, **where)
            if epoch.count < before.count:
                check.fault("hidden", f"the map counts {epoch.count} events of yours; it was {before.count}", **where)
            if epoch.time_us < before.time_us:
                check.fault("back-dated", f"its time is before that of epoch {before.number}", **where)
        try:
            leaf = leaf_hash(slot_entry(bundle.tag, epoch.number, epoch.count))
            verify_inclusion(bundle.slot, epoch.slots, leaf, epoch.slot_proof, epoch.map_root)
        except Wrong as err:
            what = f"slot {bundle.slot} of its map does not say {epoch.count} events: {err}"
            check.fault("hidden", what, **where, field="count")
        before = epoch
    if bundle.epochs[-1].size != bundle.checkpoint.size:
        what = f"the last epoch given ends at {bundle.epochs[-1].size}; what the log says about the rest was left out"
        check.fault("hidden", what, size=bundle.checkpoint.size)
    first, last = bundle.epochs[0], bundle.epochs[-1]
    ended = moment(last.time_us)
    check.done(
        f"epochs {first.number} to {last.number}, in one chain, the last ended {ended}; {last.count} events are yours"
    )


def moment(time_us: int) -> str:
    """A time as people read it. time_us: since 1970."""
    if time_us >= 250_000_000_000_000_000:
        return f"{time_us} µs after 1970"
    return datetime.fromtimestamp(time_us // 1_000_000, UTC).isoformat()


def _times(bundle: Bundle, question: Question, report: Report) -> None:
    check, policy = report.check("times"), question.policy
    if policy.quorum is None:
        check.skip("the policy asks for no witness, so back-dating by the log's own clock would not be seen")
        return
    witnessed = 0
    for epoch in bundle.epochs:
        times = _cosigned(
            epoch.checkpoint,
            policy,
            lambda who, what, n=epoch.number: check.fault("unsigned", what, witness=who, epoch=n),
        )
        if not policy.met(policy.quorum, set(times)):
            continue
        witnessed += 1
        near = {
            name for name, time_s in times.items() if abs(time_s * 1_000_000 - epoch.time_us) <= WITNESS_S * 1_000_000
        }
        if not policy.met(policy.quorum, near):
            off = max((time_s - epoch.time_us // 1_000_000 for time_s in times.values()), key=abs)
            what = f"the log says that it ended {abs(off)} s {'before' if off > 0 else 'after'} the witnesses saw it"
            check.fault("back-dated", what, epoch=epoch.number, size=epoch.size, field="time")
    if witnessed:
        check.done(f"witnesses saw {witnessed} of {len(bundle.epochs)} epochs at the time that the log says")
    else:
        check.skip("no epoch in the bundle has the cosignatures that the policy asks for")


def _decisions(bundle: Bundle, report: Report) -> None:
    check = report.check("decisions")
    if "decisions.jsonl" not in bundle.names:
        check.skip("the bundle has no decisions")
    else:
        check_decisions(bundle, check)
