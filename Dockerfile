# The service as an image. compose.yaml runs it behind https; docs/internet.md tells how.

FROM python:3.13-slim AS builder
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
RUN python3 -m venv /opt/powershaper-sheets
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY app ./app
RUN /opt/powershaper-sheets/bin/pip install -c requirements.lock .

FROM python:3.13-slim
COPY --from=builder /opt/powershaper-sheets /opt/powershaper-sheets
# A volume that is new takes over the owner of this folder: only the archive is ever written.
RUN mkdir -m 700 /data && chown 10001:10001 /data
ENV PATH=/opt/powershaper-sheets/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    POWERSHAPER_ARCHIVE_URL=sqlite:////data/archive.db
WORKDIR /data
VOLUME ["/data"]
USER 10001:10001
EXPOSE 8000
# No proxy of the environment is asked, and a status of 400 or more is an error.
HEALTHCHECK --interval=30s --timeout=10s --start-period=20s --retries=3 \
    CMD ["python", "-I", "-c", "from urllib.request import ProxyHandler, build_opener; build_opener(ProxyHandler({})).open('http://127.0.0.1:8000/healthz', timeout=8)"]
ENTRYPOINT ["powershaper-sheets"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
