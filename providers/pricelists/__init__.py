"""Price lists of providers: import, changes, approval, markup, availability, onboarding."""
