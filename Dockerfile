# mailguard as a container: docker build -t mailguard . && docker run --rm --read-only mailguard audit example.jp
# docs/container.md says how to run it, and which part of this was tested.

FROM python:3.13-slim AS build
WORKDIR /source
COPY . .
RUN sh container/install.sh /source /opt/mailguard

FROM python:3.13-slim
LABEL org.opencontainers.image.title="mailguard" \
      org.opencontainers.image.licenses="Apache-2.0"
# What PDF is drawn with: a library, and a font made for readers whose sight is weak. No font comes with mailguard itself.
RUN apt-get update && apt-get install --yes --no-install-recommends \
        fonts-morisawa-bizud-gothic libpango-1.0-0 libpangoft2-1.0-0 \
    && rm -rf /var/lib/apt/lists/*
# Nothing here is written while running; what mailguard is asked to write goes to /data (a volume or a tmpfs).
COPY --from=build /opt/mailguard /opt/mailguard
RUN useradd --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin mailguard \
    && install -d -o mailguard -g mailguard /data
ENV PATH=/opt/mailguard/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    LANG=C.UTF-8
USER 10001:10001
WORKDIR /data
ENTRYPOINT ["mailguard"]
CMD ["--help"]
