"""The teacher on a server that speaks the OpenAI chat protocol (vLLM, Ollama, OpenAI, …)."""
