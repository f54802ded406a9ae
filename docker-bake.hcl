# The image for several machines:   docker buildx bake            loads the one of this machine
#                                   docker buildx bake release    with SBOM and provenance; needs --push

variable "IMAGE" {
  # A placeholder until the project has a registry.
  default = "registry.example/bgproutes-exporter"
}

variable "VERSION" {
  default = "0.2.0"
}

variable "REVISION" {
  default = "unknown"
}

# RFC 3339, of the commit: two builds of one commit have the same labels.
variable "CREATED" {
  default = ""
}

variable "SOURCE" {
  default = "https://repository.example/bgproutes-exporter"
}

variable "NODE_IMAGE" {
  default = "node:24-bookworm-slim"
}

# 1: with Kafka's client, for sources and fleets on Kafka.
variable "WITH_KAFKA" {
  default = ""
}

group "default" {
  targets = ["local"]
}

target "local" {
  context = "."
  tags    = ["${IMAGE}:${VERSION}"]
  args = {
    NODE_IMAGE = NODE_IMAGE
    WITH_KAFKA = WITH_KAFKA
    VERSION    = VERSION
    REVISION   = REVISION
    CREATED    = CREATED
    SOURCE     = SOURCE
  }
  output = ["type=docker"]
}

target "release" {
  inherits  = ["local"]
  platforms = ["linux/amd64", "linux/arm64"]
  attest    = ["type=sbom", "type=provenance,mode=max"]
  output    = ["type=image"]
  annotations = [
    "index,manifest:org.opencontainers.image.title=bgproutes-exporter",
    "index,manifest:org.opencontainers.image.version=${VERSION}",
    "index,manifest:org.opencontainers.image.revision=${REVISION}",
    "index,manifest:org.opencontainers.image.source=${SOURCE}",
  ]
}
