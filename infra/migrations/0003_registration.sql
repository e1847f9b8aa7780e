-- Which agencies were asked to be registered, and with which words: an agency is announced once, whatever happens
-- between the request and its entry in the log.
CREATE TABLE platform.registration (
    code text PRIMARY KEY,
    role text NOT NULL CHECK (role IN ('office', 'agency', 'platform')),
    name jsonb NOT NULL
);
