# Ballast as an image: `docker build -t ballast .`, then docs/deploy/docker.md.
FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1

RUN useradd --system --uid 10001 --home-dir /app --no-create-home --shell /usr/sbin/nologin ballast
WORKDIR /app

# The libraries change seldom: their layer is built again only when they do.
COPY requirements.txt .
RUN pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore \
        --no-deps --require-hashes -r requirements.txt

COPY alembic.ini .
COPY alembic alembic
COPY deploy/healthcheck.py deploy/
COPY engine engine
COPY bot bot

# The program may write here and nowhere else: a volume mounted on it keeps an SQLite database.
RUN python -m compileall -q alembic bot engine && install -d -o ballast -g ballast -m 0700 data

USER ballast
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "deploy/healthcheck.py"]

# On PostgreSQL `alembic upgrade head` has to run before it, once per release; SQLite needs nothing.
CMD ["python", "-m", "bot", "worker"]
