-- The newest checkpoint that enough witnesses cosigned, with their cosignatures. Without a row no witnesses are asked.
CREATE TABLE platform.cosigned_checkpoint (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    size bigint NOT NULL CHECK (size >= 0),
    note text NOT NULL
);
