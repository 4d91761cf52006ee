"""Sandbox Wasm: plugins in WebAssembly machines of this very process."""
