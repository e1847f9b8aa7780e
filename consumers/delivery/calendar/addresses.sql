-- name: team_of_secret
SELECT agency, team FROM delivery.calendar_feed WHERE secret_sha256 = $1 AND revoked_at IS NULL

-- name: revoke
UPDATE delivery.calendar_feed SET revoked_at = clock_timestamp()
WHERE agency = $1 AND team = $2 AND revoked_at IS NULL

-- name: add
INSERT INTO delivery.calendar_feed (agency, team, secret_sha256) VALUES ($1, $2, $3)
