-- Up Migration
CREATE TABLE app.people (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL
);
CREATE TABLE app.bookings (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  person bigint NOT NULL REFERENCES app.people (id),
  changed_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE app.feedback (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  text text NOT NULL
);
CREATE TABLE app.news (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  html text NOT NULL,
  written_at timestamptz NOT NULL DEFAULT now()
);

-- Down Migration
DROP TABLE app.news, app.feedback, app.bookings, app.people;
