"""The prompts that a new library begins with. ``local/pydoc`` goes on from the first ones; the others are for models that follow tasks."""

from __future__ import annotations

from typing import Any, NamedTuple

from core.local_router.prompts.records import Content


class Starter(NamedTuple):
    """A prompt to begin with; ``use_case`` is one of the official API's names."""

    id: str
    name: str
    description: str
    use_case: str
    text: str

    @property
    def content(self) -> Content:
        """As it is stored."""
        prompt: dict[str, Any] = {"messages": [{"role": "user", "content": self.text}]}
        return Content(self.name, prompt, self.description, {"use_cases": [self.use_case], "language": "English"})


_DOCUMENTATION = "Documents QA"

STARTERS = (
    Starter(
        "python-statement",
        "Python statement",
        "Begins a reference entry; local/pydoc goes on in the reference's words. Try statement = for.",
        _DOCUMENTATION,
        'The "{{statement}}" statement',
    ),
    Starter(
        "python-definition",
        "Python definition",
        "Begins a definition; local/pydoc goes on. Try term = function definition.",
        _DOCUMENTATION,
        "A {{term}} is",
    ),
    Starter(
        "python-question",
        "Question about Python",
        "A heading and the beginning of its answer; local/pydoc goes on. Try topic = exceptions and beginning = An exception is.",
        _DOCUMENTATION,
        "{{topic}}\n\n{{beginning}}",
    ),
    Starter(
        "summarize",
        "Summarize a text",
        "A summary of a given length, for a given reader.",
        "Summarization",
        "Text:\n{{text}}\n\nA summary of the text in {{sentences}} sentences, for {{reader}}:\n",
    ),
    Starter(
        "answer-from-context",
        "Answer from context",
        "Answers from the context alone, and says so where it does not tell.",
        _DOCUMENTATION,
        "Context:\n{{context}}\n\nThe answer uses nothing but the context. Where that does not tell, the answer is: I do not know.\n\n"
        "Question: {{question}}\nAnswer:",
    ),
    Starter(
        "extract-json",
        "Extract as JSON",
        "The named fields of a text as one JSON object; set the stop sequence to an empty line.",
        "Extraction",
        'Text:\n{{text}}\n\nThe fields {{fields}} of the text as one JSON object, with null for what the text does not tell:\n{"',
    ),
    Starter(
        "classify",
        "Classify a text",
        "One label out of a list; set the stop sequence to a line break.",
        "Classification",
        "Labels: {{labels}}\n\nText: {{text}}\nThe one label that fits best:",
    ),
    Starter(
        "sentiment",
        "Sentiment, by example",
        "Shows the model three reviews with their sentiment before yours: the few-shot pattern.",
        "Sentiment analysis",
        "Review: Arrived a day early and works as told.\nSentiment: positive\n\n"
        "Review: It broke in the first week, and nobody answers.\nSentiment: negative\n\n"
        "Review: It is a cable.\nSentiment: neutral\n\n"
        "Review: {{review}}\nSentiment:",
    ),
    Starter(
        "translate",
        "Translate",
        "Keeps names, numbers and line breaks.",
        "Translation (sentences)",
        "{{source_language}}:\n{{text}}\n\n{{target_language}} (names, numbers and line breaks as they are):\n",
    ),
    Starter(
        "python-function",
        "Write a Python function",
        "A signature and a docstring; a code model writes the body.",
        "Code writing",
        'def {{name}}({{parameters}}):\n    """{{purpose}}"""\n',
    ),
    Starter(
        "explain-code",
        "Explain code",
        "What a piece of code does, for a reader you name.",
        "Code understanding",
        "```{{language}}\n{{code}}\n```\n\nWhat this code does, step by step, for {{reader}}:\n1.",
    ),
    Starter(
        "sql-query",
        "Write a SQL query",
        "From a schema and a question to one query.",
        "SQL",
        "-- {{dialect}}\n{{schema}}\n\n-- {{question}}\nSELECT",
    ),
    Starter(
        "reply-to-message",
        "Reply to a message",
        "A reply in a given tone, with what it must say.",
        "Conversation",
        "Message:\n{{message}}\n\nA reply in a {{tone}} tone that says: {{points}}\n\nReply:\n",
    ),
    Starter(
        "grade-answer",
        "Grade an answer",
        "A grade from 1 to 5 against a reference, reason first.",
        "Evaluation",
        "Question: {{question}}\nReference answer: {{reference}}\nAnswer to grade: {{answer}}\n\n"
        "How well the answer agrees with the reference: the reason in one sentence, then a grade from 1 (wrong) to 5 (the same).\nReason:",
    ),
)
