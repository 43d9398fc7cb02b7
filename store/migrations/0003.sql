-- Version 3. Whether a record names an object, for the sweep of objects that none names.

CREATE INDEX record_object ON record (vault, object) WHERE object IS NOT NULL;
