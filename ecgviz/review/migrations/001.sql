-- The tables of version 1.

CREATE TABLE study (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    study_id TEXT NOT NULL,
    definition TEXT NOT NULL,
    created_utc TEXT NOT NULL,
    app_version TEXT NOT NULL
);
CREATE TABLE readers (
    reader_id TEXT PRIMARY KEY,
    role TEXT NOT NULL CHECK (role IN ('reader', 'adjudicator', 'owner')),
    qualification TEXT NOT NULL,
    years INTEGER
);
CREATE TABLE codes (
    number INTEGER PRIMARY KEY,
    reader_id TEXT NOT NULL REFERENCES readers,
    salt TEXT NOT NULL,
    hash TEXT NOT NULL,
    issued_utc TEXT NOT NULL
);
CREATE TABLE items (
    item_id TEXT PRIMARY KEY,
    record_sha256 TEXT NOT NULL,
    record_id TEXT NOT NULL,
    patient_id TEXT NOT NULL,
    reference TEXT,
    model TEXT NOT NULL,
    model_sha256 TEXT NOT NULL,
    predicted TEXT NOT NULL,
    label TEXT NOT NULL,
    arm TEXT NOT NULL,
    methods TEXT NOT NULL
);
CREATE TABLE turns (
    reader_id TEXT NOT NULL REFERENCES readers,
    position INTEGER NOT NULL,
    item_id TEXT NOT NULL REFERENCES items,
    PRIMARY KEY (reader_id, position),
    UNIQUE (reader_id, item_id)
);
CREATE TABLE answers (
    review_id TEXT PRIMARY KEY,
    study_id TEXT NOT NULL,
    item_id TEXT NOT NULL REFERENCES items,
    record_sha256 TEXT NOT NULL,
    model_sha256 TEXT NOT NULL,
    reader_id TEXT NOT NULL REFERENCES readers,
    role TEXT NOT NULL,
    blinded INTEGER NOT NULL CHECK (blinded IN (0, 1)),
    phase TEXT NOT NULL CHECK (phase IN ('before', 'after', 'reference')),
    label TEXT NOT NULL,
    confidence INTEGER NOT NULL CHECK (confidence BETWEEN 0 AND 100),
    criteria TEXT NOT NULL,
    cells TEXT NOT NULL,
    spans TEXT NOT NULL,
    agree_with_prediction INTEGER CHECK (agree_with_prediction BETWEEN 1 AND 5),
    explanation_plausible INTEGER CHECK (explanation_plausible BETWEEN 1 AND 5),
    leads_correct INTEGER CHECK (leads_correct BETWEEN 1 AND 5),
    span_verdicts TEXT NOT NULL,
    comment TEXT NOT NULL,
    t_open_utc TEXT NOT NULL,
    t_submit_utc TEXT NOT NULL,
    active_seconds REAL NOT NULL CHECK (active_seconds >= 0),
    app_version TEXT NOT NULL,
    supersedes TEXT REFERENCES answers,
    FOREIGN KEY (reader_id, item_id) REFERENCES turns (reader_id, item_id)
);
CREATE UNIQUE INDEX one_first_answer ON answers (reader_id, item_id, phase) WHERE supersedes IS NULL;
CREATE UNIQUE INDEX superseded_once ON answers (supersedes) WHERE supersedes IS NOT NULL;
CREATE TABLE drafts (
    reader_id TEXT NOT NULL,
    item_id TEXT NOT NULL,
    phase TEXT NOT NULL,
    review_id TEXT NOT NULL,
    answer TEXT NOT NULL,
    active_seconds REAL NOT NULL,
    t_open_utc TEXT NOT NULL,
    t_kept_utc TEXT NOT NULL,
    PRIMARY KEY (reader_id, item_id, phase),
    FOREIGN KEY (reader_id, item_id) REFERENCES turns (reader_id, item_id)
);
CREATE TABLE audit (
    number INTEGER PRIMARY KEY,
    utc TEXT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    content_sha256 TEXT NOT NULL,
    previous_sha256 TEXT NOT NULL,
    sha256 TEXT NOT NULL
);
CREATE TRIGGER after_needs_before BEFORE INSERT ON answers
    WHEN NEW.phase = 'after' AND NOT EXISTS (
        SELECT 1 FROM answers
        WHERE reader_id = NEW.reader_id AND item_id = NEW.item_id AND phase = 'before')
    BEGIN SELECT RAISE(ABORT, 'the own answer comes before the model is shown'); END;
CREATE TRIGGER before_is_final BEFORE INSERT ON answers
    WHEN NEW.phase = 'before' AND NEW.supersedes IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'the own answer was locked before the model was shown'); END;
CREATE TRIGGER supersedes_its_own BEFORE INSERT ON answers
    WHEN NEW.supersedes IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM answers
        WHERE review_id = NEW.supersedes AND reader_id = NEW.reader_id AND item_id = NEW.item_id
            AND phase = NEW.phase)
    BEGIN SELECT RAISE(ABORT, 'an answer supersedes one by the same reader to the same question'); END;

-- Rows are only ever added.
CREATE TRIGGER no_update_study BEFORE UPDATE ON study
    BEGIN SELECT RAISE(ABORT, 'study: rows are only ever added'); END;
CREATE TRIGGER no_delete_study BEFORE DELETE ON study
    BEGIN SELECT RAISE(ABORT, 'study: rows are only ever added'); END;
CREATE TRIGGER no_update_readers BEFORE UPDATE ON readers
    BEGIN SELECT RAISE(ABORT, 'readers: rows are only ever added'); END;
CREATE TRIGGER no_delete_readers BEFORE DELETE ON readers
    BEGIN SELECT RAISE(ABORT, 'readers: rows are only ever added'); END;
CREATE TRIGGER no_update_codes BEFORE UPDATE ON codes
    BEGIN SELECT RAISE(ABORT, 'codes: rows are only ever added'); END;
CREATE TRIGGER no_delete_codes BEFORE DELETE ON codes
    BEGIN SELECT RAISE(ABORT, 'codes: rows are only ever added'); END;
CREATE TRIGGER no_update_items BEFORE UPDATE ON items
    BEGIN SELECT RAISE(ABORT, 'items: rows are only ever added'); END;
CREATE TRIGGER no_delete_items BEFORE DELETE ON items
    BEGIN SELECT RAISE(ABORT, 'items: rows are only ever added'); END;
CREATE TRIGGER no_update_turns BEFORE UPDATE ON turns
    BEGIN SELECT RAISE(ABORT, 'turns: rows are only ever added'); END;
CREATE TRIGGER no_delete_turns BEFORE DELETE ON turns
    BEGIN SELECT RAISE(ABORT, 'turns: rows are only ever added'); END;
CREATE TRIGGER no_update_answers BEFORE UPDATE ON answers
    BEGIN SELECT RAISE(ABORT, 'answers: rows are only ever added'); END;
CREATE TRIGGER no_delete_answers BEFORE DELETE ON answers
    BEGIN SELECT RAISE(ABORT, 'answers: rows are only ever added'); END;
CREATE TRIGGER no_update_audit BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'audit: rows are only ever added'); END;
CREATE TRIGGER no_delete_audit BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'audit: rows are only ever added'); END;
