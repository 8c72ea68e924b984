-- Received mails, whole: what a better reader makes of them can be found out later.
CREATE TABLE mail (
    id INTEGER PRIMARY KEY,
    sha256 BLOB NOT NULL UNIQUE,
    received_at INTEGER NOT NULL, -- POSIX seconds
    peer TEXT NOT NULL,
    mail_from TEXT NOT NULL,
    rcpt_to TEXT NOT NULL, -- separated by blanks
    raw BLOB NOT NULL
);

-- Files in a mail that gave no report, and why.
CREATE TABLE unreadable (
    mail_id INTEGER NOT NULL REFERENCES mail (id) ON DELETE CASCADE,
    place TEXT NOT NULL,
    reason TEXT NOT NULL
);

CREATE INDEX unreadable_mail ON unreadable (mail_id);

CREATE TABLE report (
    id INTEGER PRIMARY KEY,
    mail_id INTEGER NOT NULL REFERENCES mail (id),
    authenticated_domain TEXT NOT NULL, -- whose mail it was, proved; empty where nothing was proved
    org_name TEXT NOT NULL,
    email TEXT NOT NULL,
    report_id TEXT NOT NULL,
    policy_domain TEXT NOT NULL,
    begin_s INTEGER NOT NULL CHECK (typeof(begin_s) = 'integer'), -- POSIX seconds
    end_s INTEGER NOT NULL CHECK (typeof(end_s) = 'integer'),
    p TEXT,
    sp TEXT,
    np TEXT,
    adkim TEXT,
    aspf TEXT,
    pct TEXT,
    fo TEXT,
    testing TEXT,
    discovery_method TEXT,
    generator TEXT NOT NULL,
    records_read INTEGER NOT NULL,
    records_repaired INTEGER NOT NULL,
    records_dropped INTEGER NOT NULL,
    content_sha256 BLOB NOT NULL,
    UNIQUE (authenticated_domain, org_name, report_id, policy_domain, begin_s, end_s)
);

CREATE INDEX report_window ON report (policy_domain, begin_s);
CREATE INDEX report_mail ON report (mail_id);

-- Another report under the key of one that was there first. Kept apart, never counted.
CREATE TABLE report_conflict (
    report_id INTEGER NOT NULL REFERENCES report (id) ON DELETE CASCADE,
    mail_id INTEGER NOT NULL REFERENCES mail (id),
    content_sha256 BLOB NOT NULL,
    PRIMARY KEY (report_id, content_sha256)
) WITHOUT ROWID;

CREATE TABLE record (
    id INTEGER PRIMARY KEY,
    report_id INTEGER NOT NULL REFERENCES report (id) ON DELETE CASCADE,
    source_ip TEXT NOT NULL,
    count INTEGER NOT NULL CHECK (typeof(count) = 'integer' AND count >= 0),
    disposition TEXT NOT NULL,
    dkim_aligned TEXT NOT NULL, -- pass, fail or unknown, as the reporter evaluated it
    spf_aligned TEXT NOT NULL,
    header_from TEXT NOT NULL,
    envelope_from TEXT, -- NULL: not told; empty: the null path
    envelope_to TEXT,
    reasons TEXT NOT NULL -- override types, separated by blanks
);

CREATE INDEX record_report ON record (report_id);

-- Raw results of one record, before alignment.
CREATE TABLE auth_result (
    record_id INTEGER NOT NULL REFERENCES record (id) ON DELETE CASCADE,
    mechanism TEXT NOT NULL CHECK (mechanism IN ('dkim', 'spf')),
    domain TEXT NOT NULL,
    selector TEXT NOT NULL, -- DKIM only
    scope TEXT NOT NULL, -- SPF only
    result TEXT NOT NULL
);

CREATE INDEX auth_result_record ON auth_result (record_id);
