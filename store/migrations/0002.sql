-- Version 2. How many pieces a job began with: those of erased patients go with them.

ALTER TABLE job ADD COLUMN pieces BIGINT NOT NULL DEFAULT 0;
