"""What Python's strict readers make of files of notes: the other implementation for import_border.rs.

Reads from standard input, for each file: a line with its format and its length in bytes, then its bytes.
Writes for each file one line: `refused LINE`, `columns LINE`, or `taken` and the texts in hexadecimal digits.
"""

import csv
import io
import json
import sys

csv.field_size_limit(sys.maxsize)


def digits(text):
    return text.encode().hex() or "-"


def texts(rows):
    """The texts that are not empty, by patient, record and field."""
    found = []
    for row in rows:
        for field, text in row.items():
            if field not in ("patient_id", "record_id") and text:
                found.append(" ".join(map(digits, (row["patient_id"], row["record_id"], field, text))))
    return " ".join(["taken", *sorted(found)])


def from_csv(data):
    try:
        reader = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
    except UnicodeDecodeError:
        return "refused 0"
    header, rows = None, []
    while True:
        begin = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            break
        except csv.Error:
            return f"refused {begin}"
        if not row:
            continue
        if header is None:
            header = row
        elif len(row) != len(header):
            return f"columns {begin}"
        else:
            rows.append(dict(zip(header, row)))
    if header is None or not {"patient_id", "record_id"} <= set(header):
        return "refused 0"
    return texts(rows)


def members(pairs):
    if len(dict(pairs)) != len(pairs) or not all(isinstance(value, str) for _, value in pairs):
        raise ValueError
    return dict(pairs)


def from_json_lines(data):
    rows, places = [], set()
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    for number, line in enumerate(data.split(b"\n"), 1):
        try:
            if not line.strip(b" \t\r"):
                continue
            row = json.loads(line.decode(), object_pairs_hook=members)
            if not isinstance(row, dict) or "" in row or not row["patient_id"] or not row["record_id"]:
                raise ValueError
            json.dumps(row, ensure_ascii=False).encode()
        except (ValueError, KeyError):
            return f"refused {number}"
        rows.append(row)
        places.add((row["patient_id"], row["record_id"]))
    return texts(rows) if len(places) == len(rows) else "refused 0"


def main():
    if sys.version_info < (3, 11):
        sys.exit("Python 3.11 or newer is needed: older ones refuse NUL")
    given, readers = sys.stdin.buffer, {b"csv": from_csv, b"json": from_json_lines}
    while line := given.readline():
        kind, length = line.split()
        print(readers[kind](given.read(int(length))), flush=False)


main()
