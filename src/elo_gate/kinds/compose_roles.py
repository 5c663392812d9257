"""Turns an image's repository, or a service's name, into what the service is there for.

The tables hold the images that real Compose files use most; whatever is not in them is an application.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

APP, DATABASE, CACHE, QUEUE, STORAGE = "app", "database", "cache", "queue", "storage"
PROXY, MAIL, TOOL, JOB = "proxy", "mail", "tool", "job"

# Product -> repositories (whole, or the last part of one). A product is what rules know facts about.
_PRODUCTS = {
    DATABASE: {
        "postgres": "postgres postgresql postgis pgvector timescaledb timescaledb-ha pgvecto-rs vectorchord "
        "supabase/postgres tensorchord/vchord-postgres",
        "mysql": "mysql mysql-server percona percona-server",
        "mariadb": "mariadb",
        "mongo": "mongo mongodb mongodb-community-server",
        "mssql": "mssql/server azure-sql-edge",
        "clickhouse": "clickhouse-server clickhouse/clickhouse yandex/clickhouse-server",
        "cockroachdb": "cockroach",
        "couchdb": "couchdb",
        "influxdb": "influxdb",
        "neo4j": "neo4j",
        "cassandra": "cassandra scylla",
        "elasticsearch": "elasticsearch",
        "opensearch": "opensearch",
        "meilisearch": "meilisearch",
        "typesense": "typesense",
        "qdrant": "qdrant",
        "weaviate": "weaviate",
        "milvus": "milvus",
        "surrealdb": "surrealdb",
    },
    CACHE: {
        "redis": "redis redis-stack redis-stack-server",
        "valkey": "valkey",
        "keydb": "keydb",
        "dragonfly": "dragonfly",
        "memcached": "memcached",
    },
    QUEUE: {
        "rabbitmq": "rabbitmq",
        "kafka": "kafka cp-kafka cp-server redpanda zookeeper cp-zookeeper",
        "nats": "nats",
        "activemq": "activemq activemq-artemis",
    },
    STORAGE: {
        "minio": "minio",
        "s3": "rustfs garage seaweedfs dxflrs/garage localstack azurite",
    },
    PROXY: {
        "nginx": "nginx nginx-unprivileged openresty nginx-certbot",
        "nginx-proxy": "nginx-proxy nginx-proxy-manager swag",
        "traefik": "traefik",
        "caddy": "caddy caddy-docker-proxy",
        "haproxy": "haproxy",
        "envoy": "envoy",
        "cloudflared": "cloudflared",
        "apache": "httpd",
    },
    MAIL: {
        "mailhog": "mailhog mailpit maildev inbucket smtp4dev greenmail fake-smtp-server mailcatcher mailslurper",
    },
    TOOL: {
        "admin": "adminer pgadmin4 pgadmin phpmyadmin mongo-express redis-commander redisinsight pgweb cloudbeaver "
        "kafka-ui kafdrop phpredisadmin dbgate sqlpad",
        "portainer": "portainer portainer-ce",
        "dozzle": "dozzle",
        "watchtower": "watchtower diun",
        "autoheal": "autoheal",
        "socket-proxy": "docker-socket-proxy socket-proxy",
        "certbot": "certbot acme-companion lego acme.sh letsencrypt-nginx-proxy-companion",
        "monitoring": "prometheus grafana grafana-oss loki promtail alloy tempo jaeger all-in-one node-exporter "
        "cadvisor alertmanager opentelemetry-collector opentelemetry-collector-contrib otel-collector netdata "
        "uptime-kuma fluent-bit fluentd vector telegraf datadog/agent postgres-exporter redis_exporter "
        "blackbox-exporter "
        "kibana beats/filebeat",
        "backup": "postgres-backup-local postgres-backup-s3 restic offen/docker-volume-backup docker-volume-backup",
    },
    JOB: {
        "migrate": "flyway liquibase migrate/migrate dbmate goose atlas minio/mc curl",
    },
}

_BY_REPOSITORY: dict[str, tuple[str, str]] = {
    repository: (role, product)
    for role, products in _PRODUCTS.items()
    for product, repositories in products.items()
    for repository in repositories.split()
}

# A service that is built tells nothing by its image: these names do.
_BY_NAME = {
    "postgres": (DATABASE, "postgres"),
    "postgresql": (DATABASE, "postgres"),
    "mysql": (DATABASE, "mysql"),
    "mariadb": (DATABASE, "mariadb"),
    "mongo": (DATABASE, "mongo"),
    "mongodb": (DATABASE, "mongo"),
    "db": (DATABASE, ""),
    "database": (DATABASE, ""),
    "redis": (CACHE, "redis"),
    "valkey": (CACHE, "valkey"),
    "nginx": (PROXY, "nginx"),
    "traefik": (PROXY, "traefik"),
    "caddy": (PROXY, "caddy"),
    "haproxy": (PROXY, "haproxy"),
    "proxy": (PROXY, ""),
    "reverse-proxy": (PROXY, ""),
}

# Roles a service that keeps data has; the ports and data folders of the products rules know.
STORES = frozenset([DATABASE, CACHE, QUEUE, STORAGE])
DATA_FOLDERS = {
    "postgres": ("/var/lib/postgresql",),
    "mysql": ("/var/lib/mysql",),
    "mariadb": ("/var/lib/mysql",),
    "mongo": ("/data/db",),
}
# Official images ship no HEALTHCHECK: github.com/docker-library/faq#healthcheck.
WITHOUT_HEALTHCHECK = frozenset(
    "postgres mysql mariadb mongo redis valkey memcached rabbitmq nginx httpd traefik caddy haproxy "
    "neo4j couchdb influxdb cassandra elasticsearch".split()
)

_DEPTH = 1 + max(each.count("/") for each in _BY_REPOSITORY)


def of_image(repository: str) -> tuple[str, str]:
    """(role, product) of a repository such as `postgres` or `bitnami/postgresql`; ("app", "") when not known."""
    parts = repository.lower().rsplit("/", _DEPTH)[-_DEPTH:]
    for start in range(len(parts)):
        found = _BY_REPOSITORY.get("/".join(parts[start:]))
        if found is not None:
            return found
    return APP, ""


def of_name(service: str) -> tuple[str, str]:
    """(role, product) of a built service by its name; ("app", "") when the name says nothing."""
    return _BY_NAME.get(service.lower(), (APP, ""))


def official(image: Any) -> bool:
    """The image is one of Docker's official ones, which are alike in what rules ask (no HEALTHCHECK, `*_FILE`)."""
    return image is not None and "/" not in image.facts["repository"] and image.facts["registry"] == "docker.io"
