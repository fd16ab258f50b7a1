# syntax=docker/dockerfile:1
# The program `migrate`, for services that do not embed their migrations. In the root of this repository:
# `docker build -t migrate -f examples/deploy/migrate.Dockerfile .`
#
# It reads a folder when it runs. Mount one (`docker run -v ./migrations:/migrations migrate up`), or copy it:
#
#     FROM migrate
#     COPY migrations /migrations

FROM rust:1.95-slim-bookworm AS build
WORKDIR /app
COPY . .
RUN cargo build --release --locked -p migrate-cli

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /app/target/release/migrate /usr/local/bin/migrate
WORKDIR /
ENTRYPOINT ["/usr/local/bin/migrate"]
CMD ["up", "--wait", "60s", "--deadline", "10m"]
