"""Checks vector files of lukko by a reading of docs/FORMAT.md that shares no code with the crate.

Usage: python verify.py DIR

Every case is judged from its input and its world alone; verdict, error class and result are then compared with what
the file says. The exit status is 0 only if there was at least one case and all of them agree.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import ed25519
import founding
import hpke
import sealing
from disclosures import open_disclosure
from errors import LAYERS, Reject
from founding import Pin
from members import Member
from patients import verify_patient
from primitives import TABLES
from records import ABSORBED, ATTACHMENT, DEPOSITED, READER, Opened
from world import Json, World, unhex, unhex_all

CASE_SCHEMA = "lukko-vectors/1"
EXAMPLES_SCHEMA = "lukko-vectors/1 examples"
EXACT_LIMIT = 2**53


@dataclass(frozen=True)
class Verdict:
    """What became of a case."""

    expect: str
    layer: str | None
    result: Json
    why: str = ""


def _number(value: int) -> int | str:
    return value if value < EXACT_LIMIT else str(value)


def _descriptor(world: World, given: Json) -> Json:
    pinned = unhex(given["fingerprint"]) if "fingerprint" in given else world.fingerprint
    return {"fingerprint": founding.pinned_descriptor(unhex(given["descriptor"]), pinned).fingerprint}


def _share(world: World, given: Json) -> Json:
    share = founding.Share.parse(unhex(given["share"]))
    share.check(world.descriptor)
    return {"index": share.x}


def _share_text(world: World, given: Json) -> Json:
    return {"share": founding.share_from_text(given["text"])}


def _recovery(world: World, given: Json) -> Json:
    return {"master_secret": founding.recover(world.descriptor, unhex_all(given["shares"]))}


def _pin(world: World, given: Json) -> Json:
    pin = Pin.parse(unhex(given["pin"]))
    return {"roster_version": pin.roster_version, "generation": pin.generation}


def _member(world: World, given: Json) -> Json:
    return {"fingerprint": Member.verify(unhex(given["entry"]), world.descriptor).fingerprint}


def _roster(world: World, given: Json) -> Json:
    pin = Pin.parse(unhex(given["pin"]))
    roster = world.verify_roster(unhex(given["roster"]), unhex_all(given["entries"]), pin)
    return {"version": roster.version, "digest": roster.digest}


def _patient(world: World, given: Json) -> Json:
    accepted = given.get("expect")
    card = verify_patient(
        world.descriptor,
        world.roster,
        unhex(given["patient_id"]),
        unhex_all(given["cards"]),
        unhex(given["endorsement"]),
        unhex(given["master_grant"]),
        None if accepted is None else unhex(accepted),
    )
    return {"card_id": card.id}


def _grant(world: World, given: Json) -> Json:
    card = world.verify_cards(given) if "cards" in given else world.card
    return {"patient_secret": world.open_grant(unhex(given["grant"]), card)}


def _master_grant(world: World, given: Json) -> Json:
    return {"patient_secret": world.open_master_grant(unhex(given["master_grant"]))}


def _open(world: World, given: Json, *paths: int) -> Opened:
    return world.opener.open(unhex(given["record"]), unhex(given["record_id"]), unhex(given["field"]), paths)


def _record(world: World, given: Json) -> Json:
    opened = _open(world, given, READER)
    return {"plaintext": opened.plaintext, "revision": opened.revision, "padding": opened.padding}


def _deposit(world: World, given: Json) -> Json:
    opened = _open(world, given, DEPOSITED, ABSORBED)
    return {"plaintext": opened.plaintext, "writer": opened.writer, "path": opened.path}


def _deposited_attachment(world: World, given: Json) -> Json:
    opened = _open(world, given, ATTACHMENT)
    return {"plaintext": opened.plaintext, "writer": opened.writer}


def _rotation(world: World, given: Json) -> Json:
    new, pin = founding.follow(world.descriptor, unhex(given["descriptor"]), unhex(given["statement"]))
    return {"fingerprint": new.fingerprint, "generation": new.generation, "roster_version": pin.roster_version}


def _disclosure(world: World, given: Json) -> Json:
    seed = unhex(world.data["recipient_seed"])
    note = open_disclosure(unhex(given["disclosure"]), seed, world.descriptor, world.roster)
    return dict(vars(note))


def _sealing(world: World, given: Json) -> Json:
    return {"bytes": sealing.seal(world, given)}


def _public_key(world: World, given: Json) -> Json:
    hpke.import_key(world.suite, unhex(given["key"]))
    return {}


def _signing_key(world: World, given: Json) -> Json:
    ed25519.import_key(unhex(given["key"]))
    return {}


JUDGES: dict[str, Callable[[World, Json], Json]] = {
    "descriptor": _descriptor,
    "share": _share,
    "share_text": _share_text,
    "recovery": _recovery,
    "pin": _pin,
    "member": _member,
    "roster": _roster,
    "patient": _patient,
    "grant": _grant,
    "master_grant_open": _master_grant,
    "record": _record,
    "deposit": _deposit,
    "attachment": _record,
    "deposited_attachment": _deposited_attachment,
    "rotation": _rotation,
    "sealing": _sealing,
    "disclosure": _disclosure,
    "public_key": _public_key,
    "signing_key": _signing_key,
}
#: Objects of which the input itself is a descriptor or a roster, and brings no world of its own.
WORLD_AS_IS = ("descriptor", "roster", "rotation")


def judge(world: World, case: Json) -> Verdict:
    """The verdict of FORMAT.md on a case, without a look at what the case expects."""
    given = case["input"]
    own = world if case["object"] in WORLD_AS_IS else world.with_input(given)
    try:
        return Verdict("ok", None, JUDGES[case["object"]](own, given))
    except Reject as reject:
        return Verdict("reject", reject.layer, {}, reject.why)


def _same_value(mine: object, theirs: object) -> bool:
    if isinstance(mine, bytes):
        return mine.hex() == theirs
    if isinstance(mine, int):
        return _number(mine) == theirs
    return mine == theirs


def compare(verdict: Verdict, case: Json) -> list[str]:
    """Every difference between a verdict and the case, in words."""
    if verdict.expect != case["expect"]:
        return [f"verdict {verdict.expect} ({verdict.layer}: {verdict.why}), expected {case['expect']} {case['layer']}"]
    if verdict.expect == "reject":
        if case["layer"] not in LAYERS:
            return [f"unknown error class {case['layer']}"]
        if verdict.layer != case["layer"]:
            return [f"error class {verdict.layer} ({verdict.why}), expected {case['layer']}"]
        return []
    mine, theirs = dict(verdict.result), dict(case["result"])
    if "plaintext_sha256" in theirs and "plaintext" in mine:
        mine["plaintext_sha256"] = hashlib.sha256(mine.pop("plaintext")).digest()
    names = sorted(mine.keys() | theirs.keys())
    missing = object()
    return [
        f"result {name}: {mine.get(name)!r}, expected {theirs.get(name)!r}"
        for name in names
        if not _same_value(mine.get(name, missing), theirs.get(name, missing))
    ]


def _compare_steps(name: str, world: World, example: Json) -> list[str]:
    """The first value of a worked example that is another one here, in words."""
    mine = list(sealing.steps(world, example).items())
    theirs = [(step["name"], unhex(step["value"])) for step in example["steps"]]
    differ = next((pair for pair in zip(mine, theirs) if pair[0] != pair[1]), None)
    if differ is None and len(mine) == len(theirs):
        return []
    where = differ[1][0] if differ else "the number of values"
    return [f"{name}, {example['kind']}: {where} differs"]


def run(directory: Path) -> tuple[Counter[str], dict[str, list[str]], Counter[str]]:
    """Cases per object, disagreements per object, and what is wrong with the files themselves."""
    cases: Counter[str] = Counter()
    disagreed: dict[str, list[str]] = {}
    wrong: Counter[str] = Counter()
    worlds: dict[str, World] = {}
    seen: set[str] = set()
    for path in sorted(directory.glob("*.json")):
        content = json.loads(path.read_text())
        if content["schema"] == EXAMPLES_SCHEMA:
            world = worlds.setdefault(content["world"], World.load(directory / content["world"]))
            for example in content["examples"]:
                cases["worked example"] += 1
                if differences := _compare_steps(path.name, world, example):
                    disagreed.setdefault("worked example", []).extend(differences)
            continue
        if "cases" not in content:
            continue
        if content["schema"] != CASE_SCHEMA:
            wrong[f"{path.name}: schema {content['schema']}"] += 1
            continue
        name = content["world"]
        world = worlds.setdefault(name, World.load(directory / name))
        for case in content["cases"]:
            kind, case_id = case["object"], case["id"]
            cases[kind] += 1
            if case_id in seen:
                wrong[f"{case_id}: id used twice"] += 1
            seen.add(case_id)
            try:
                differences = compare(judge(world, case), case) if kind in JUDGES else ["unknown object"]
            except (ArithmeticError, LookupError, TypeError, ValueError) as error:
                differences = [f"cannot be judged: {error!r}"]
            if differences:
                comment = case.get("comment", "")
                disagreed.setdefault(kind, []).append(f"{case_id}: {'; '.join(differences)} [{comment}]")
    return cases, disagreed, wrong


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    cases, disagreed, wrong = run(Path(arguments[0]))
    if [row["name"] for row in TABLES["classes"]] != [*LAYERS, "randomness"]:
        wrong["docs/format.json: other error classes"] += 1
    print(f"{'object':<22}{'cases':>7}{'agreed':>8}{'disagreed':>11}")
    for kind in sorted(cases):
        bad = len(disagreed.get(kind, []))
        print(f"{kind:<22}{cases[kind]:>7}{cases[kind] - bad:>8}{bad:>11}")
    total, bad = cases.total(), sum(map(len, disagreed.values()))
    print(f"{'all':<22}{total:>7}{total - bad:>8}{bad:>11}")
    for lines in disagreed.values():
        print(*lines, sep="\n")
    for line in wrong:
        print(f"file: {line}")
    return 0 if total and not bad and not wrong else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
