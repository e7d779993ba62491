"""Kubernetes' protobuf bodies: `k8s\\0`, then a runtime.Unknown that names the kind and holds the object.

wire      tags, varints and lengths
decoder   bytes of a message -> a document
encoder   a document -> the same bytes that Kubernetes would write
envelope  the prefix and runtime.Unknown

Spec: k8s.io/apimachinery/pkg/runtime/serializer/protobuf; protobuf.dev/programming-guides/encoding (proto2).
"""
