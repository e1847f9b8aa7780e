-- What needs two people: the request of a command, and the two administrators who confirmed it in the console. `arguments`
-- is RFC 8785 JSON. `role` is what the database knows of who asked; `operator` is what the command says of it. `seal` is a
-- keyed hash of the row under the key that only the console and `yesser accounts` have.
CREATE TABLE console.approval (
    approval_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    act text NOT NULL CHECK (act IN (
        'accounts add', 'accounts disable', 'accounts enable', 'accounts password', 'accounts seal', 'agencies add',
        'agencies certificate', 'agencies rotate', 'agencies suspend', 'erase', 'keys import', 'keys rotate', 'recover',
        'registrar unhalt', 'tokens create', 'tokens seal'
    )),
    arguments text NOT NULL CHECK (length(arguments) <= 100000),
    digest bytea NOT NULL CHECK (digest = sha256(convert_to(act || E'\n' || arguments, 'UTF8'))),
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    role text NOT NULL DEFAULT current_user,
    operator text NOT NULL,
    first_by text REFERENCES console.account,
    first_at timestamptz CHECK (first_at BETWEEN requested_at AND requested_at + interval '24 hours'),
    second_by text REFERENCES console.account CHECK (second_by <> first_by),
    second_at timestamptz CHECK (second_at BETWEEN first_at AND requested_at + interval '24 hours'),
    used_at timestamptz CHECK (used_at IS NULL OR second_at IS NOT NULL),
    seal bytea CHECK (length(seal) = 32),
    CHECK ((first_by IS NULL) = (first_at IS NULL) AND (first_by IS NULL) = (seal IS NULL)),
    CHECK ((second_by IS NULL) = (second_at IS NULL) AND (second_by IS NULL OR first_by IS NOT NULL))
);
CREATE INDEX ON console.approval (digest) WHERE used_at IS NULL;

-- Which columns, the rights say: the console confirms, commands ask and use. What was used is changed by nobody.
ALTER TABLE console.approval ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON console.approval FOR SELECT USING (true);
CREATE POLICY ask ON console.approval FOR INSERT WITH CHECK (true);
CREATE POLICY open ON console.approval FOR UPDATE USING (used_at IS NULL) WITH CHECK (true);
