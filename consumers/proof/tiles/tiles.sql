-- name: cosigned
SELECT note FROM platform.cosigned_checkpoint
