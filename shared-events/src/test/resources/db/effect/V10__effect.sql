-- What the handler of the tests has done.
CREATE TABLE effect (
    position bigint GENERATED ALWAYS AS IDENTITY,
    order_id uuid NOT NULL,
    type     text NOT NULL,
    -- Of the first line, and indexed: not every text fits.
    sku      text
);
CREATE INDEX effect_by_sku ON effect (sku);
